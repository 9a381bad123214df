"""The facts about a board that decide whether its NPU can be used; the checks judge them."""

from __future__ import annotations

import mmap
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from farm.errors import SensorError
from farm.hardware import sensors
from farm.hardware.environment import installed
from farm.hardware.platforms import Machine, detect
from farm.system.file_access import READ, WRITE, User, has_acl, text

LIBRARY: Final = "usr/lib/librknnrt.so"
# What `strings librknnrt.so | grep "librknnrt version"` shows, as the vendor's manual has it.
LIBRARY_VERSION: Final = re.compile(rb"librknnrt version: (\d+\.\d+\.\d+\w*)")
ELF_MAGIC: Final = b"\x7fELF"
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
    """The process that runs the checks: its user, CPU architecture and installed packages.

    `packages` has their versions by name; `available_mb` is what the kernel can still allocate.
    """

    user: User
    arch: str
    packages: Mapping[str, str]
    available_mb: int

    @staticmethod
    def current() -> Caller:
        """Return this process. Packages are not imported: the vendor's may crash."""
        versions = {name: installed(name) for name in (TOOLKIT, ONNXRUNTIME)}
        return Caller(
            user=User.current(),
            arch=platform.machine(),
            packages={name: version for name, version in versions.items() if version is not None},
            available_mb=psutil.virtual_memory().available // 2**20,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A device node, who may open it, and its driver's name where sysfs shows it."""

    path: str
    driver: str | None
    mode: int
    gid: int
    group: str
    openable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """librknnrt.so: its version, if known, and its ELF machine (183 is aarch64)."""

    readable: bool
    machine: int | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One machine as `doctor` finds it; None stands for what is missing or cannot be read.

    `npu_status` is the NPU's status in the device tree ("okay", "disabled"); `open_driver` is true
    if the mainline kernel's driver runs the NPU; `load_refusal` is why its load cannot be read.
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

    @property
    def name(self) -> str:
        """The board's name, else what its device tree is compatible with."""
        return self.model or self.compatible or ""

    def npu_nodes(self) -> tuple[Node, ...]:
        """Return the device nodes of the NPU's driver, else all whose driver is unknown."""
        own = tuple(node for node in self.nodes if node.driver == RKNPU)
        return own or tuple(node for node in self.nodes if node.driver is None)


def read(root: Path, caller: Caller) -> Board:
    """Read all facts below `root` as `caller` sees them; what cannot be read is None."""
    tree = root / "proc/device-tree"
    compatible = text(tree / "compatible")
    statuses = [text(file) for file in sorted(tree.glob("npu@*/status"))]
    versions = [re.search(r"\d+\.\d+\.\d+", text(root / file) or "") for file in DRIVER_FILES]
    paths = [*sorted((root / "dev/dri").glob("renderD*")), root / "dev/rknpu"]
    nodes = [_node(path, root, caller.user) for path in paths]
    sample = sensors.sample(root)
    return Board(
        machine=detect(root),
        caller=caller,
        compatible=compatible.replace("\0", " ") if compatible else None,
        model=text(tree / "model"),
        kernel=text(root / "proc/sys/kernel/osrelease"),
        container=(root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
        npu_status="okay" if "okay" in statuses else next(iter(statuses), None),
        driver=next((version[0] for version in versions if version), None),
        nodes=tuple(node for node in nodes if node is not None),
        open_driver=any((root / "dev").glob("accel/accel*")),
        library=_library(root / LIBRARY, caller.user),
        clocks=sample.clocks,
        load_refusal=str(sample.load) if isinstance(sample.load, SensorError) else None,
    )


def _node(path: Path, root: Path, user: User) -> Node | None:
    """Read one device node; None if there is none. Names are those of the board's own lists."""
    try:
        status = path.stat()
    except OSError:
        return None
    uevent = text(root / "sys/class/drm" / path.name / "device/uevent") or ""
    driver = re.search(r"^DRIVER=(\S+)$", uevent, re.MULTILINE)
    groups = text(root / "etc/group") or ""
    group = re.search(rf"^([^:\n]*):[^:\n]*:{status.st_gid}(:|$)", groups, re.MULTILINE)
    name = RKNPU if path.name == "rknpu" else driver[1] if driver else None
    may_open = user.may(status, READ | WRITE)
    return Node(
        path=f"/{path.relative_to(root)}",
        driver=name,
        mode=status.st_mode & 0o7777,
        gid=status.st_gid,
        group=group[1] if group else str(status.st_gid),
        openable=may_open or (has_acl(path) and os.access(path, os.R_OK | os.W_OK)),
    )


def _library(path: Path, user: User) -> Library | None:
    try:
        readable = user.may(path.stat(), READ)
    except OSError:
        return None
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            version = LIBRARY_VERSION.search(data)
            is_elf = data[: len(ELF_MAGIC)] == ELF_MAGIC
            return Library(
                readable=readable,
                machine=int.from_bytes(data[ELF_MACHINE], "little") if is_elf else None,
                version=version[1].decode() if version else None,
            )
    except (OSError, ValueError):  # a folder, unreadable, empty
        return Library(readable=readable, machine=None, version=None)
