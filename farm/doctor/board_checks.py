"""What a board must have for its NPU to work: facts to findings, one function a check."""

from __future__ import annotations

from typing import Final

from farm.doctor.board import TOOLKIT, Board, Node
from farm.doctor.compatibility import OLDEST_DRIVER, runs_one_core_only, version
from farm.doctor.finding import Finding, failure, ok, warning
from farm.hardware.known_errors import (
    CONTAINER_FLAGS,
    INSTALL_LIBRARY,
    INSTALL_TOOLKIT,
    LIBRARY,
    NAME_RK3588S,
    UPDATE_KERNEL,
)
from farm.hardware.platforms import SOCS

# What rknn-toolkit-lite2 2.5.0 looks for in the device tree.
KNOWN_TO_TOOLKIT: Final = ("rk3562", "rk3566", "rk3568", "rk3576", "rk3588", "rv1126b")
AARCH64: Final = 183  # these are e_machine in elf.h
MACHINES: Final = {AARCH64: "aarch64", 62: "x86-64", 40: "32-bit ARM", 3: "32-bit x86"}
CONTAINER_NODE: Final = "/dev/dri/renderD129"  # in a container, the toolkit asks for this one
SEE_DRIVER: Final = "sudo dmesg | grep -i rknpu"
RKNPU_RULE: Final = (
    """echo 'KERNEL=="rknpu", MODE="0660", GROUP="render"' | sudo tee """
    "/etc/udev/rules.d/99-rknpu.rules && sudo udevadm control --reload && sudo udevadm trigger"
)
VENDOR_KERNEL: Final = "sudo armbian-config   # a vendor (BSP) kernel; or your board's own image"
ENABLE_NPU: Final = "sudo armbian-config   # or rsetup: an overlay that enables the NPU"


def board_findings(board: Board) -> list[Finding]:
    """Judge all that must be there, whatever the farm is to run on the NPU."""
    checks = (soc, container, driver, device, library, toolkit, together, load)
    return [finding for check in checks if (finding := check(board)) is not None]


def soc(board: Board) -> Finding:
    """Which SoC it is, and whether the vendor's package knows it under that name."""
    tree = (board.compatible or "").lower()
    name = board.machine.soc
    if board.compatible is None:
        fix = CONTAINER_FLAGS if board.container else "ls /proc/device-tree/compatible"
        return failure("SoC", "/proc/device-tree/compatible can't be read: no SoC is known", fix)
    if name is None:
        known = "npu-farm doctor configs/host.yaml"
        return failure("SoC", f"{_said(board)}: none of {', '.join(SOCS)}", known)
    if not any(known in tree for known in KNOWN_TO_TOOLKIT):
        reason = f"{TOOLKIT} knows no {name}, and the device tree names nothing else"
        return failure("SoC", f"{name}, {_said(board)}: {reason}; as rk3588s it runs", NAME_RK3588S)
    return ok("SoC", f"{name}, {_said(board)}")


def container(board: Board) -> Finding | None:
    """Whether a container was given what the vendor's package asks for."""
    if not board.container:
        return None
    nodes, npu_nodes = [node.path for node in board.nodes], board.npu_nodes()
    missing = [
        name
        for name, there in (
            ("/proc/device-tree/compatible", board.compatible is not None),
            (CONTAINER_NODE, CONTAINER_NODE in nodes),
            (LIBRARY, board.library is not None),
        )
        if not there
    ]
    if not missing:
        return ok("container", "has the device tree, the device nodes and the library")
    fix = CONTAINER_FLAGS
    if npu_nodes and CONTAINER_NODE in missing:
        fix = fix.replace("/dev/dri ", f"{npu_nodes[0].path}:{CONTAINER_NODE} ")
    return failure("container", f"was not given {', '.join(missing)}", fix)


def driver(board: Board) -> Finding:
    """The NPU's kernel driver: there, and new enough."""
    found = version(board.driver)
    kernel = f"kernel {board.kernel}" if board.kernel else "kernel not known"
    if found is None:
        return _no_driver_version(board, kernel)
    said = f"RKNPU {board.driver}, {kernel}"
    cores = SOCS[board.machine.soc].npu_cores if board.machine.soc else 1
    if cores > 1 and runs_one_core_only(found):
        reason = (
            'drivers before 0.9.6 are known to "failed to submit" on all NPU cores but the first'
        )
        return warning("driver", f"{said}: {reason}", UPDATE_KERNEL)
    if found < OLDEST_DRIVER:
        oldest = ".".join(map(str, OLDEST_DRIVER))
        return warning("driver", f"{said}: the vendor recommends {oldest} or later", UPDATE_KERNEL)
    return ok("driver", said)


def _no_driver_version(board: Board, kernel: str) -> Finding:
    if board.npu_status == "disabled":
        reason = "the device tree has the NPU switched off"
        return failure("driver", f"{reason}, {kernel}", ENABLE_NPU)
    if board.open_driver:
        reason = "the kernel's own NPU driver (/dev/accel) is none that librknnrt.so can use"
        return failure("driver", f"{reason}, {kernel}", VENDOR_KERNEL)
    if any(node.driver for node in board.npu_nodes()):
        return ok("driver", f"RKNPU is there, {kernel}; its version is for root only")
    if board.npu_nodes():
        reason = "no version of an NPU driver can be read (as root it could)"
        return warning("driver", f"{reason}, {kernel}", "sudo cat /sys/kernel/debug/rknpu/version")
    return failure("driver", f"no NPU driver found, {kernel}", SEE_DRIVER)


def device(board: Board) -> Finding:
    """The NPU's device node, and whether this user may open it."""
    nodes = board.npu_nodes()
    if not nodes:
        fix = CONTAINER_FLAGS if board.container else SEE_DRIVER
        return failure("device", "neither a /dev/dri/renderD* of the NPU nor /dev/rknpu", fix)
    barred = [node for node in nodes if not node.openable]
    unsure = "" if nodes[0].driver else "; which one is the NPU's is not told"
    if not barred:
        named = ", ".join(node.path for node in nodes)
        return ok("device", f"{named}: this user may open it{unsure}")
    node = barred[0]
    said = (
        f"{node.path}: mode {node.mode:04o}, group {node.group}: this user may not open it{unsure}"
    )
    judge = failure if len(barred) == len(nodes) else warning
    return judge("device", said, _access_fix(node, in_container=board.container))


def _access_fix(node: Node, *, in_container: bool) -> str:
    # Some images make /dev/rknpu for root alone; nobody should have to join root's group.
    if node.group == "root" or node.mode & 0o060 != 0o060:
        return RKNPU_RULE.replace("rknpu", node.path.rpartition("/")[2], 1)
    if in_container:
        return f"docker run --group-add {node.gid} ..."
    return f"sudo usermod -aG {node.group} $USER   # then log in again"


def library(board: Board) -> Finding:
    """librknnrt.so: there, readable, for this kind of CPU, and its version."""
    found = board.library
    if found is None:
        reason = f"{LIBRARY} is missing; {TOOLKIT} looks nowhere else"
        return failure("library", reason, CONTAINER_FLAGS if board.container else INSTALL_LIBRARY)
    if not found.readable:
        fix = f"sudo chmod 644 {LIBRARY}"
        return failure("library", f"{LIBRARY}: this user may not read it", fix)
    if found.machine != AARCH64:
        kind = (
            MACHINES.get(found.machine or 0, "another machine") if found.machine else "no library"
        )
        said = f"{LIBRARY} is {'for ' if found.machine else ''}{kind}; an aarch64 one is needed"
        return failure("library", said, INSTALL_LIBRARY)
    if found.version is None:
        return ok("library", f"{LIBRARY}; it does not tell its version")
    return ok("library", f"{LIBRARY} {found.version}")


def toolkit(board: Board) -> Finding:
    """The vendor's Python package."""
    found = board.caller.packages.get(TOOLKIT)
    if found is None:
        return failure("toolkit", f"{TOOLKIT} is not installed here", INSTALL_TOOLKIT)
    return ok("toolkit", f"{TOOLKIT} {found}")


def together(board: Board) -> Finding | None:
    """Whether the library is of the package's generation; None where a version is not known."""
    runtime = version(board.library.version) if board.library else None
    package = version(board.caller.packages.get(TOOLKIT))
    if runtime is None or package is None or runtime[0] >= package[0]:
        return None
    said = f"librknnrt {_dotted(runtime)} is a generation older than {TOOLKIT} {_dotted(package)}"
    return warning("versions", said, INSTALL_LIBRARY)


def load(board: Board) -> Finding:
    """Whether the NPU's load can be watched; nothing but watching needs it, so never worse."""
    why = board.load_refusal
    if why is None:
        return ok("load", "the NPU's load can be read")
    return ok("load", f"only needed to watch the NPU: {why}")


def _said(board: Board) -> str:
    return board.model or board.compatible or ""


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
