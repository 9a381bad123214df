"""Folders that look like the root of a Rockchip board to `farm.doctor.board`, healthy or not."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from farm.config.schema import FarmConfig
from farm.doctor.board import ONNXRUNTIME, TOOLKIT, Board, Caller, read
from farm.doctor.finding import Finding, Status
from farm.hardware.platforms import SOCS
from farm.system.file_access import User

RENDER: Final = "dev/dri/renderD129"
NPU: Final = "fdab0000.npu"
AARCH64: Final = 183
BOARDS: Final = {
    "rk3588": ("Radxa ROCK 5B", ("radxa,rock-5b", "rockchip,rk3588")),
    "rk3582": ("Radxa E52C", ("radxa,e52c", "rockchip,rk3582", "rockchip,rk3588s")),
    "rk3576": ("ArmSoM Sige5", ("armsom,sige5", "rockchip,rk3576")),
    "rk3568": ("Radxa ROCK3 Model A", ("radxa,rock-3a", "rockchip,rk3568")),
    "rk3566": ("Radxa ZERO 3W", ("radxa,zero-3w", "rockchip,rk3566")),
    "rk3562": ("Rockchip RK3562 EVB", ("rockchip,rk3562-evb", "rockchip,rk3562")),
}
CLUSTERS: Final = {
    "rk3588": ((0, 3, 1800), (4, 7, 2400)),
    "rk3582": ((0, 3, 1800), (4, 5, 2400)),
    "rk3576": ((0, 3, 2208), (4, 7, 2304)),
}
SMALL: Final = ((0, 3, 1800),)


def rknn_bytes(description: Any, body: bytes = b"\7" * 100) -> bytes:
    """A model of the converter's form whose text is `description`."""
    text = description if isinstance(description, bytes) else json.dumps(description).encode()
    header = (b"RKNN\0\0\0\0" + struct.pack("<QQ", 6, len(body))).ljust(64, b"\0")
    return header + body + struct.pack("<Q", len(text)) + text


def library_bytes(version: str | None, machine: int = AARCH64) -> bytes:
    """A librknnrt.so as far as it is looked at."""
    head = (b"\x7fELF\2\1\1".ljust(18, b"\0") + struct.pack("<H", machine)).ljust(4096, b"\0")
    words = f"librknnrt version: {version} (429f97ae6b@2025-04-09T09:09:27)\0" if version else ""
    return head + words.encode() + b"\0" * 100


@dataclass
class Boards:
    """Builds one board below `root`; None leaves a thing out."""

    root: Path
    soc: str = "rk3588"
    compatible: tuple[str, ...] | None = None
    driver: str | None = "0.9.8"
    node: str | None = RENDER
    node_mode: int = 0o660
    node_driver: str | None = "RKNPU"
    library: bytes | None = field(default_factory=lambda: library_bytes("2.3.2"))
    toolkit: str | None = "2.3.2"
    onnxruntime: str | None = None
    cpu_governor: str = "ondemand"
    npu_clock: tuple[str, int] = ("rknpu_ondemand", 300)
    available_mb: int = 3500
    in_group: bool = True
    container: str | None = None  # a file that only such a container has
    device_tree: bool = True
    python: tuple[int, int] = (3, 11)
    arch: str = "aarch64"
    kernel: str = "6.1.75-vendor"
    resize: tuple[str, str] = ("", "")

    def built(self) -> Board:
        """Write all files and read them back."""
        if self.device_tree:
            self._device_tree()
        self._kernel()
        self._device()
        self._clocks()
        if self.library is not None:
            self.write("usr/lib/librknnrt.so", self.library)
        if self.container is not None:
            self.write(self.container, "")
        found = read(self.root, self._caller())
        return replace(found, machine=replace(found.machine, cpus=tuple(range(8)), memory_mb=4096))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write one file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def model(self, *targets: str, version: str | None = "2.3.2") -> Path:
        """A model for `targets` (without: for this SoC)."""
        targets = targets or (SOCS[self.soc].model_platform,)
        description = {"target_platform": list(targets), "version": version}
        return self.write(f"models/net-{targets[0]}.rknn", rknn_bytes(description))

    def config(self, model: Path | None = None, **changes: Any) -> FarmConfig:
        """A config for this SoC with its own model."""
        values = {"platform": self.soc, "model": model or self.model(), **changes}
        return FarmConfig.model_validate(values)

    def _caller(self) -> Caller:
        status = self.root.stat()  # files made here are of this user and group
        groups = {status.st_gid} if self.in_group else {status.st_gid + 1}
        versions = {TOOLKIT: self.toolkit, ONNXRUNTIME: self.onnxruntime}
        return Caller(
            user=User(uid=status.st_uid + 1, groups=frozenset(groups)),
            arch=self.arch,
            python=self.python,
            packages={name: version for name, version in versions.items() if version},
            resize=self.resize,
            available_mb=self.available_mb,
        )

    def _device_tree(self) -> None:
        model, compatible = BOARDS[self.soc]
        entries = self.compatible or compatible
        self.write("proc/device-tree/compatible", "".join(f"{entry}\0" for entry in entries))
        self.write("proc/device-tree/model", f"{model}\0")

    def _kernel(self) -> None:
        self.write("proc/sys/kernel/osrelease", f"{self.kernel}\n")
        self.write("etc/group", f"root:x:99999:\nrender:x:{self.root.stat().st_gid}:me\n")
        if self.driver is not None:
            self.write("sys/kernel/debug/rknpu/version", f"RKNPU driver: v{self.driver}\n")
            cores = SOCS[self.soc].npu_cores
            each = "".join(f" Core{core}:  0%," for core in range(cores))
            self.write("sys/kernel/debug/rknpu/load", f"NPU load: {each if cores > 1 else ' 0%'}\n")

    def _device(self) -> None:
        if self.node is None:
            return
        self.write(self.node, "").chmod(self.node_mode)
        if self.node_driver is not None:
            name = Path(self.node).name
            uevent = f"OF_NAME=npu\nDRIVER={self.node_driver}\nMODALIAS=of:Nnpu\n"
            self.write(f"sys/class/drm/{name}/device/uevent", uevent)

    def _clocks(self) -> None:
        for first, last, mhz in CLUSTERS.get(self.soc, SMALL):
            policy = f"sys/devices/system/cpu/cpufreq/policy{first}"
            self.write(f"{policy}/scaling_governor", f"{self.cpu_governor}\n")
            self.write(f"{policy}/scaling_cur_freq", f"{mhz * 1000}\n")
            self.write(f"{policy}/cpuinfo_max_freq", f"{mhz * 1000}\n")
            cpus = " ".join(str(cpu) for cpu in range(first, last + 1))
            self.write(f"{policy}/related_cpus", f"{cpus} \n")
        governor, mhz = self.npu_clock
        device = f"sys/class/devfreq/{NPU}"
        self.write(f"{device}/governor", f"{governor}\n")
        self.write(f"{device}/cur_freq", f"{mhz}000000\n")
        self.write(f"{device}/max_freq", "1000000000\n")
        self.write(f"{device}/available_frequencies", "300000000 600000000 1000000000\n")


def bad(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """All findings that are not OK: status, check and fix; how they are worded is no matter."""
    return [
        (f.status.word, f.check, f.fix)
        for f in findings
        if f.status in {Status.WARNING, Status.FAILURE}
    ]
