"""What a board needs for its NPU to work: one check per function, facts to findings; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from farm.doctor.board import TOOLKIT, Board
from farm.doctor.compatibility import OLDEST_DRIVER, ONE_CORE_DRIVERS, version
from farm.doctor.finding import Finding, Status, failure, ok, warning
from farm.hardware.container import CHROOT
from farm.hardware.known_errors import (
    INSTALL_LIBRARY,
    LIBRARY,
    NAME_RK3588S,
    UPDATE_KERNEL,
)
from farm.hardware.platforms import SOCS
from farm.system.file_access import NO_FILE
from workers.runtimes.base import why_no_rknn
from workers.shell import INSTALL_COMPILER

# What rknn-toolkit-lite2 2.5.0 looks for in the device tree.
KNOWN_TO_TOOLKIT: Final = ("rk3562", "rk3566", "rk3568", "rk3576", "rk3588", "rv1126b")
AARCH64: Final = 183  # these are e_machine in elf.h
MACHINES: Final = {AARCH64: "aarch64", 62: "x86-64", 40: "32-bit ARM", 3: "32-bit x86"}
COMPATIBLE: Final = "/proc/device-tree/compatible"
CONTAINER_NODE: Final = "/dev/dri/renderD129"  # in a container, the toolkit opens this one
SEE_DRIVER: Final = "sudo dmesg | grep -i rknpu"
RKNPU_RULE: Final = (
    """echo 'KERNEL=="rknpu", MODE="0660", GROUP="render"' | sudo tee """
    "/etc/udev/rules.d/99-rknpu.rules && sudo udevadm control --reload && sudo udevadm trigger"
)
VENDOR_KERNEL: Final = "sudo armbian-config   # a vendor (BSP) kernel; or your board's own image"
ENABLE_NPU: Final = "sudo armbian-config   # or rsetup: an overlay that enables the NPU"
FIXED_CLOCK: Final = ("userspace", "performance")  # these do not follow the load
GOVERNORS: Final = {
    "NPU": "/sys/class/devfreq/*npu*/governor",
    "DDR": "/sys/class/devfreq/dmc/governor",
}
CPU_GOVERNORS: Final = "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
SEE_HEAT: Final = "head /sys/class/thermal/thermal_zone*/temp   # in 1/1000 degrees C: too hot?"


def soc(board: Board) -> Finding:
    """Check which SoC it is, and whether the vendor's package knows it by that name."""
    tree = (board.compatible or "").lower()
    name = board.machine.soc
    if board.compatible is None:
        return _no_device_tree(board)
    if name is None:
        what = board.machine.unsupported or "not supported"
        message = f"{board.name}: {what}; supported are {', '.join(SOCS)}"
        return failure("SoC", message, "npu-farm doctor host   # on the CPU")
    if not any(known in tree for known in KNOWN_TO_TOOLKIT):
        reason = f"{TOOLKIT} does not know {name}; it runs under the name rk3588s"
        return failure("SoC", f"{name}, {board.name}: {reason}", NAME_RK3588S)
    return ok("SoC", f"{name}, {board.name}")


def _no_device_tree(board: Board) -> Finding:
    """Say why there is none: not allowed, no board, or a container that was not given it."""
    if not board.may_be_supported():
        reason = f"no board with Rockchip's NPU: {board.caller.arch}, no device tree"
        return failure("SoC", reason, "npu-farm run CONFIG --runtime simulated")
    if board.tree_refusal not in (None, NO_FILE):
        reason = f"cannot read {COMPATIBLE}: {board.tree_refusal}: is this a sandbox (snap)?"
        return failure("SoC", f"unknown: {reason}", "sudo dmesg | grep -i denied")
    kind = board.container or CHROOT
    reason = f"this {kind.name} was not given {COMPATIBLE}, where the NPU's software finds the SoC"
    return failure("SoC", f"unknown: {reason}", kind.give_npu)


def container(board: Board) -> Finding | None:
    """Check whether a container has what the vendor's package needs."""
    if board.container is None:
        return None
    nodes, npu_nodes = [node.path for node in board.nodes], board.npu_nodes()
    missing = [
        name
        for name, there in (
            (COMPATIBLE, board.compatible is not None),
            (CONTAINER_NODE, CONTAINER_NODE in nodes),
            (LIBRARY, board.library is not None),
        )
        if not there
    ]
    if not missing:
        return ok("container", "has the device tree, the device nodes and the library")
    fix = board.container.give_npu
    if npu_nodes and CONTAINER_NODE in missing:
        fix = fix.replace("/dev/dri ", f"{npu_nodes[0].path}:{CONTAINER_NODE} ")
    return failure("container", f"lacks {', '.join(missing)}", fix)


def driver(board: Board) -> Finding:
    """Check that the NPU's kernel driver is loaded and new enough."""
    found = version(board.driver)
    kernel = f"kernel {board.kernel or 'unknown'}"
    if found is None:
        return _driver_without_version(board, kernel)
    message = f"RKNPU {board.driver}, {kernel}"
    cores = SOCS[board.machine.soc].npu_cores if board.machine.soc else 1
    first, fixed = ONE_CORE_DRIVERS
    if cores > 1 and first <= found < fixed:
        before = ".".join(map(str, fixed))
        reason = f'before {before}, all NPU cores except core 0 fail with "failed to submit"'
        return warning("driver", f"{message}: {reason}", UPDATE_KERNEL)
    if found < OLDEST_DRIVER:
        oldest = ".".join(map(str, OLDEST_DRIVER))
        return warning(
            "driver", f"{message}: the vendor recommends {oldest} or later", UPDATE_KERNEL
        )
    return ok("driver", message)


def _driver_without_version(board: Board, kernel: str) -> Finding:
    if board.npu_status == "disabled":
        return failure("driver", f"the device tree disables the NPU, {kernel}", ENABLE_NPU)
    if board.open_driver:
        reason = "librknnrt.so cannot use the mainline kernel's NPU driver (/dev/accel)"
        return failure("driver", f"{reason}, {kernel}", VENDOR_KERNEL)
    if any(node.driver for node in board.npu_nodes()):
        return ok("driver", f"RKNPU, {kernel}; only root can read its version")
    if board.npu_nodes():
        reason = "cannot read the NPU driver's version; only root can"
        return warning("driver", f"{reason}, {kernel}", "sudo cat /sys/kernel/debug/rknpu/version")
    return failure("driver", f"no NPU driver found, {kernel}", SEE_DRIVER)


def device(board: Board) -> Finding:
    """Check that the NPU's device node exists, and that this user may open it."""
    nodes = board.npu_nodes()
    if not nodes:
        fix = board.container.give_npu if board.container else SEE_DRIVER
        return failure("device", "no /dev/dri/renderD* of the NPU and no /dev/rknpu", fix)
    closed = [node for node in nodes if not node.openable]
    unsure = "" if nodes[0].driver else "; it is unknown which node is the NPU's"
    if not closed:
        paths = ", ".join(node.path for node in nodes)
        return ok("device", f"{paths}: this user can open it{unsure}")
    node = closed[0]
    # Some images make /dev/rknpu for root alone; nobody should have to join root's group.
    if node.group == "root" or node.mode & 0o060 != 0o060:
        fix = RKNPU_RULE.replace("rknpu", node.path.rpartition("/")[2], 1)
    elif board.container is not None and board.container.join_group is not None:
        fix = board.container.join_group.replace("{gid}", str(node.gid))
    else:
        fix = f"sudo usermod -aG {node.group} $USER   # then log in again"
    message = f"{node.path}: mode {node.mode:04o}, group {node.group}: this user cannot open it"
    judge = failure if len(closed) == len(nodes) else warning
    return judge("device", f"{message}{unsure}", fix)


def library(board: Board) -> Finding:
    """Check that librknnrt.so exists, is readable and is for aarch64; report its version."""
    found = board.library
    if found is None:
        reason = f"{LIBRARY} is missing; {TOOLKIT} looks only there"
        fix = board.container.give_npu if board.container else INSTALL_LIBRARY
        return failure("library", reason, fix)
    if not found.readable:
        fix = f"sudo chmod 644 {LIBRARY}"
        return failure("library", f"{LIBRARY}: this user cannot read it", fix)
    if not found.machine:
        # Docker's -v makes a folder where the board has no such file.
        fix = INSTALL_LIBRARY + ("   # on the board" if board.container else "")
        return failure("library", f"{LIBRARY} is not a shared library", fix)
    if found.machine != AARCH64:
        kind = MACHINES.get(found.machine, "another architecture")
        return failure("library", f"{LIBRARY} is for {kind}, not for aarch64", INSTALL_LIBRARY)
    if found.truncated:
        return failure("library", f"{LIBRARY} is truncated", INSTALL_LIBRARY)
    return ok("library", f"{LIBRARY} {found.version or 'of unknown version'}")


def toolkit(board: Board) -> Finding:
    """Check that the vendor's Python package is installed."""
    found = board.caller.packages.get(TOOLKIT)
    if found is None:
        why, fix = why_no_rknn(board.caller.python)
        return failure("toolkit", f"{TOOLKIT} {why}", fix)
    return ok("toolkit", f"{TOOLKIT} {found}")


def versions(board: Board) -> Finding | None:
    """Check that the library's major version is not below the package's; None if unknown."""
    library_text = board.library.version if board.library else None
    toolkit_text = board.caller.packages.get(TOOLKIT)
    runtime, package = version(library_text), version(toolkit_text)
    if runtime is None or package is None or runtime[0] >= package[0]:
        return None
    message = f"librknnrt {library_text} has an older major version than {TOOLKIT} {toolkit_text}"
    return warning("versions", message, INSTALL_LIBRARY)


def load(board: Board) -> Finding:
    """Check whether the NPU load can be read; it is never worse than OK: only watching needs it."""
    if board.load_refusal is None:
        return ok("load", "the NPU load can be read")
    return ok("load", f"needed for watching only: {board.load_refusal}")


def clocks(board: Board) -> Finding | None:
    """Check whether a governor keeps CPUs, NPU or memory slow; None if no clock is known."""
    if not board.clocks:
        return None
    slow = [
        clock
        for clock in board.clocks
        if clock.governor == "powersave"
        # Only the NPU's: a CPU may have been read just before its clock rose.
        or (
            clock.governor in FIXED_CLOCK
            and clock.name == "NPU"
            and clock.mhz < (clock.highest_mhz or 0)
        )
    ]
    speeds = []
    for clock in slow or board.clocks:
        of_highest = "" if clock.highest_mhz in (None, clock.mhz) else f" of {clock.highest_mhz}"
        governor = f" ({clock.governor})" if clock.governor else ""
        speeds.append(f"{clock.name} {clock.mhz}{of_highest} MHz{governor}")
    message = ", ".join(speeds)
    if not slow:
        return ok("clocks", message)
    if all(clock.governor == "performance" for clock in slow):
        return warning("clocks", f"limited: {message}", SEE_HEAT)
    files = dict.fromkeys(GOVERNORS.get(clock.name, CPU_GOVERNORS) for clock in slow)
    return warning(
        "clocks", f"limited: {message}", f"echo performance | sudo tee {' '.join(files)}"
    )


def resize(board: Board) -> Finding:
    """Check that pictures are resized by the faster one of two."""
    reason, fix = board.caller.resize
    if not reason:
        return ok("resize", "by npu-farm's own library, which is faster than OpenCV")
    said = f"by OpenCV: the same results, but slower (on a PC four times as slow): {reason}"
    # A PC need not have a compiler.
    optional = INSTALL_COMPILER in fix and not board.may_be_supported()
    return Finding("resize", Status.OK if optional else Status.WARNING, said, fix)


# In the order in which they are printed, whatever the farm is to run on the NPU.
BOARD_CHECKS: Final[tuple[Callable[[Board], Finding | None], ...]] = (
    soc, container, driver, device, library, toolkit, versions, load, clocks,
)  # fmt: skip
