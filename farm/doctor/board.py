"""The facts about a board that decide whether its NPU can be used; read here, judged elsewhere."""

from __future__ import annotations

import mmap
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import FarmError
from farm.hardware import sensors
from farm.hardware.environment import installed
from farm.hardware.platforms import Machine, detect
from farm.system.file_access import READ, WRITE, User, current_user, has_acl, may, text

LIBRARY: Final = "usr/lib/librknnrt.so"
# What `strings librknnrt.so | grep "librknnrt version"` shows, as the vendor's manual has it.
LIBRARY_VERSION: Final = re.compile(rb"librknnrt version: (\d+\.\d+\.\d+\w*)")
ELF_MACHINE: Final = slice(18, 20)
DRIVER_FILES: Final = (  # the second where the driver was built with CONFIG_ROCKCHIP_RKNPU_PROC_FS
    "sys/kernel/debug/rknpu/version",
    "proc/rknpu/version",
    "sys/module/rknpu/version",
)
TOOLKIT: Final = "rknn-toolkit-lite2"
ONNXRUNTIME: Final = "onnxruntime"
RKNPU: Final = "RKNPU"  # the driver's name in sysfs


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: a process's user, its machine's architecture, the packages it could import."""

    user: User
    arch: str
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A device node, who may open it, and its driver's name where sysfs tells."""

    path: str
    driver: str | None
    mode: int
    gid: int
    group: str
    openable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """librknnrt.so: its version, if it tells, and its ELF machine (183 is aarch64)."""

    readable: bool
    machine: int | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One machine as `doctor` finds it; None stands for what is missing or can't be read.

    `npu_status` is the device tree's word about the NPU ("okay", "disabled"), `open_driver` says
    that the mainline kernel's driver has it, `load_refusal` why its load can't be read;
    `available_mb` is what the kernel would still give away.
    """

    machine: Machine
    caller: Caller
    compatible: str | None
    model: str | None
    kernel: str | None
    container: bool
    npu_status: str | None
    driver: str | None
    nodes: tuple[Node, ...]
    open_driver: bool
    library: Library | None
    clocks: tuple[sensors.Clock, ...]
    load_refusal: str | None
    available_mb: int | None

    def npu_nodes(self) -> tuple[Node, ...]:
        """The NPU's device nodes: those that say so, else all whose driver is not known."""
        own = tuple(node for node in self.nodes if node.driver == RKNPU)
        return own or tuple(node for node in self.nodes if node.driver is None)


def this_process() -> Caller:
    """The process that asks. Packages are looked up, not imported: the vendor's may not survive."""
    versions = {name: installed(name) for name in (TOOLKIT, ONNXRUNTIME)}
    return Caller(
        user=current_user(),
        arch=platform.machine(),
        packages={name: version for name, version in versions.items() if version is not None},
    )


def read(root: Path, caller: Caller) -> Board:
    """Read all facts below `root` as `caller` sees them; what can't be read is None."""
    tree = root / "proc/device-tree"
    compatible = text(tree / "compatible")
    return Board(
        machine=detect(root),
        caller=caller,
        compatible=compatible.replace("\0", " ") if compatible else None,
        model=text(tree / "model"),
        kernel=text(root / "proc/sys/kernel/osrelease"),
        container=(root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
        npu_status=_npu_status(tree),
        driver=_driver(root),
        nodes=_nodes(root, caller.user),
        open_driver=any((root / "dev").glob("accel/accel*")),
        library=_library(root / LIBRARY, caller.user),
        clocks=sensors.clocks(root),
        load_refusal=_load_refusal(root),
        available_mb=_available_mb(root / "proc/meminfo"),
    )


def _npu_status(tree: Path) -> str | None:
    told = [text(file) for file in sorted(tree.glob("npu@*/status"))]
    return "okay" if "okay" in told else next(iter(told), None)


def _driver(root: Path) -> str | None:
    told = (text(root / file) for file in DRIVER_FILES)
    found = (re.search(r"\d+\.\d+\.\d+", words or "") for words in told)
    return next((match[0] for match in found if match), None)


def _nodes(root: Path, user: User) -> tuple[Node, ...]:
    names = [*sorted((root / "dev/dri").glob("renderD*")), root / "dev/rknpu"]
    return tuple(node for name in names if (node := _node(name, root, user)) is not None)


def _node(path: Path, root: Path, user: User) -> Node | None:
    try:
        status = path.stat()
    except OSError:
        return None
    allowed = may(user, status, READ | WRITE)
    return Node(
        path=f"/{path.relative_to(root)}",
        driver=RKNPU if path.name == "rknpu" else _node_driver(root, path.name),
        mode=status.st_mode & 0o7777,
        gid=status.st_gid,
        group=_group(root / "etc/group", status.st_gid),
        openable=allowed or (has_acl(path) and os.access(path, os.R_OK | os.W_OK)),
    )


def _node_driver(root: Path, name: str) -> str | None:
    told = text(root / "sys/class/drm" / name / "device/uevent") or ""
    found = re.search(r"^DRIVER=(\S+)$", told, re.MULTILINE)
    return found[1] if found else None


def _group(groups: Path, number: int) -> str:
    """A group's name as the machine's own list has it; its number where it has none."""
    for line in (text(groups) or "").splitlines():
        name, _, gid, *_ = [*line.split(":"), "", "", ""]
        if gid == str(number):
            return name
    return str(number)


def _library(path: Path, user: User) -> Library | None:
    try:
        readable = may(user, path.stat(), READ)
    except OSError:
        return None
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = LIBRARY_VERSION.search(data)
            return Library(
                readable=readable,
                machine=_elf_machine(data[:20]),
                version=found[1].decode() if found else None,
            )
    except (OSError, ValueError):  # a folder, barred, empty
        return Library(readable=readable, machine=None, version=None)


def _elf_machine(head: bytes) -> int | None:
    return int.from_bytes(head[ELF_MACHINE], "little") if head.startswith(b"\x7fELF") else None


def _load_refusal(root: Path) -> str | None:
    try:
        sensors.npu_load(root)
    except FarmError as error:
        return str(error)
    return None


def _available_mb(meminfo: Path) -> int | None:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text(meminfo) or "", re.MULTILINE)
    return int(found[1]) // 1024 if found else None
