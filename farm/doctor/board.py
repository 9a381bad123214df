"""The facts about a board that decide whether its NPU can be used; the checks judge them."""

from __future__ import annotations

import mmap
import os
import platform
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import SensorError
from farm.hardware import sensors
from farm.hardware.container import Container, detect_container
from farm.hardware.environment import installed, resize
from farm.hardware.platforms import Machine, detect
from farm.system.file_access import NO_FILE, READ, WRITE, User, has_acl, refusal, text
from farm.system.memory import available_mb

LIBRARY: Final = "usr/lib/librknnrt.so"
# What `strings librknnrt.so | grep "librknnrt version"` shows, as the vendor's manual has it.
LIBRARY_VERSION: Final = re.compile(rb"librknnrt version: (\d+\.\d+\.\d+\w*)")
AARCH64: Final = "aarch64"
ELF_MAGIC: Final = b"\x7fELF"
ELF_MACHINE: Final = slice(18, 20)
# Of 64-bit files: where the table of sections begins, the size of a row, their number.
ELF_SECTIONS: Final = struct.Struct("<40xQ10xHH")
DRIVER_FILES: Final = (  # the second where the driver was built with CONFIG_ROCKCHIP_RKNPU_PROC_FS
    "sys/kernel/debug/rknpu/version",
    "proc/rknpu/version",
    "sys/module/rknpu/version",
)
# Kernels of WSL, of Docker on a Mac and of clouds, which containers show, too.
VIRTUAL: Final = re.compile(r"microsoft|linuxkit|orbstack|-(aws|azure|gcp|gke|oracle)\b")
TOOLKIT: Final = "rknn-toolkit-lite2"
ONNXRUNTIME: Final = "onnxruntime"
RKNPU: Final = "RKNPU"  # the driver's name in sysfs


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The process that runs the checks: its user, CPU architecture, Python, installed packages.

    `packages` has their versions by name; `resize` is why OpenCV resizes pictures, and what may
    change that, both empty if npu-farm does; `available_mb` is what the kernel can still allocate.
    """

    user: User
    arch: str
    python: tuple[int, int]
    packages: Mapping[str, str]
    resize: tuple[str, str]
    available_mb: int

    @staticmethod
    def current() -> Caller:
        """Return this process. Packages are not imported: the vendor's may crash."""
        versions = {name: installed(name) for name in (TOOLKIT, ONNXRUNTIME)}
        return Caller(
            user=User.current(),
            arch=platform.machine(),
            python=sys.version_info[:2],
            packages={name: version for name, version in versions.items() if version is not None},
            resize=resize(),
            available_mb=int(available_mb()),
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
    """librknnrt.so: its version, if known, its ELF machine (183 is aarch64), and if it is cut."""

    readable: bool
    machine: int | None
    version: str | None
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One machine as `doctor` finds it; None stands for what is missing or cannot be read.

    `npu_status` is the NPU's status in the device tree ("okay", "disabled"); `open_driver` is true
    if the mainline kernel's driver runs the NPU; `tree_refusal` and `load_refusal` are why the
    device tree and the NPU's load cannot be read.
    """

    machine: Machine
    caller: Caller
    compatible: str | None
    model: str | None
    kernel: str | None
    tree_refusal: str | None
    container: Container | None
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

    def may_be_supported(self) -> bool:
        """Return whether this is a supported board, or may be one whose device tree is hidden.

        It may be on aarch64: in a container, or where there are traces of an NPU; but not under the
        kernel of a virtual machine.
        """
        if self.compatible is not None:
            return self.machine.soc is not None
        traces = (
            self.driver is not None,
            any(node.driver == RKNPU for node in self.nodes),
            bool(self.npu_nodes()) and self.library is not None,
        )
        hidden = self.container is not None or self.tree_refusal not in (None, NO_FILE)
        hidden &= VIRTUAL.search(self.kernel or "") is None
        return self.caller.arch == AARCH64 and (hidden or any(traces))


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
        tree_refusal=refusal(tree / "compatible"),
        container=detect_container(root),
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
            table, row_size, rows = ELF_SECTIONS.unpack_from(data)
            return Library(
                readable=readable,
                machine=int.from_bytes(data[ELF_MACHINE], "little") if is_elf else None,
                version=version[1].decode() if version else None,
                truncated=is_elf and table + row_size * rows > len(data),
            )
    except (OSError, ValueError, struct.error):  # a folder, unreadable, (almost) empty
        return Library(readable=readable, machine=None, version=None)
