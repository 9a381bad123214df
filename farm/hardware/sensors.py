"""A board's sensors, read from its kernel's files: NPU load, temperatures, clocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import SensorError
from farm.hardware.platforms import cpu_list
from farm.system.file_access import text

# rknpu_debugger.c of Rockchip's kernels shows the same text in both. The one in /proc depends on
# the kernel's configuration and is readable by everybody; the folder of debugfs is for root only.
PROC_LOAD: Final = "proc/rknpu/load"
DEBUGFS: Final = "sys/kernel/debug"
DEBUGFS_LOAD: Final = f"{DEBUGFS}/rknpu/load"

SHARE: Final = re.compile(r"(-?\d+)\s*%")
QUOTED: Final = 60  # characters of unexpected content that a message quotes
# Names in /sys/class/devfreq. The NPU is fdab0000.npu on an RK3588, 27700000.npu on an RK3576,
# fde40000.npu on an RK3566 and RK3568, ff300000.npu on an RK3562; the memory is dmc on all
# (scaling_frequency.sh of Rockchip's model zoo). bus-npu is the bus to it.
DEVICES: Final = {"NPU": re.compile(r"(?!bus).*npu"), "DDR": re.compile(r"dmc$")}


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock now: `CPU 0-3`, `NPU` or `DDR`, in MHz; None is what the kernel does not show."""

    name: str
    mhz: int
    highest_mhz: int | None
    governor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All sensors at one moment: NPU load by core or why there is none, degrees C, clocks."""

    load: tuple[float, ...] | SensorError
    temperatures: dict[str, float]
    clocks: tuple[Clock, ...]


def sample(root: Path = Path("/")) -> Sample:
    """Read all sensors; those that cannot be read are left out."""
    load: tuple[float, ...] | SensorError
    try:
        load = npu_load(root)
    except SensorError as error:
        load = error
    return Sample(load=load, temperatures=temperatures(root), clocks=clocks(root))


def npu_load(root: Path = Path("/")) -> tuple[float, ...]:
    """Read the share (0 to 1) of the last full second in which each NPU core was busy.

    Raises SensorError, which names the file and the command that makes it readable.
    """
    file = root / PROC_LOAD if text(root / PROC_LOAD) else root / DEBUGFS_LOAD
    debugfs = root / DEBUGFS
    try:
        content = file.read_bytes().decode("ascii", "replace")
    except PermissionError:
        message = (
            f"no permission to read {file}; to allow it until the next boot: "
            f"sudo chmod a+x {debugfs}"
        )
    except FileNotFoundError:
        message = (
            f"{file} does not exist: Rockchip's NPU driver is not loaded, or debugfs is not "
            f"mounted; to mount it: sudo mount -t debugfs debugfs {debugfs}"
        )
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}"
    else:
        if shares := load_shares(content):
            return shares
        message = f"unexpected content in {file}: {content[:QUOTED]!r}"
    raise SensorError(f"NPU load: {message}")


def load_text(shares: Sequence[float]) -> str:
    """Return shares (0 to 1) of busy time as the kernel writes them, without its line end.

    `NPU load:  0%` for one core, `NPU load:  Core0: 12%, Core1:  3%,` for several.
    """
    whole = [f"{share * 100:2.0f}%" for share in shares]
    if len(whole) == 1:
        return f"NPU load: {whole[0]}"
    return "NPU load: " + "".join(f" Core{core}: {busy}," for core, busy in enumerate(whole))


def load_shares(content: str) -> tuple[float, ...]:
    """Return the shares (0 to 1), by core, from what the kernel or `load_text` wrote."""
    # A hanging job has been seen as 20000 % (rockchip-linux/rknn-toolkit2, issue 293).
    return tuple(min(max(float(found), 0.0), 100.0) / 100 for found in SHARE.findall(content))


def temperatures(root: Path = Path("/")) -> dict[str, float]:
    """Read the thermal zones: degrees C by the zone's type, such as `npu-thermal`.

    A zone that cannot be read is left out; of zones of one type, the hottest counts.
    """
    found: dict[str, float] = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        name, millidegrees = text(zone / "type"), _number(zone / "temp")
        if name and millidegrees is not None:
            found[name] = max(found.get(name, millidegrees / 1000), millidegrees / 1000)
    return found


def clocks(root: Path = Path("/")) -> tuple[Clock, ...]:
    """Read the clocks of CPUs, NPU and memory; those that cannot be read are left out.

    psutil.cpu_freq() knows neither governors nor which CPUs share a clock.
    """
    cpu_clocks, devices = [], {}
    policies = (root / "sys/devices/system/cpu/cpufreq").glob("policy*")
    for policy in sorted(policies, key=lambda path: (len(path.name), path.name)):
        cpus = [int(cpu) for cpu in (text(policy / "related_cpus") or "").split() if cpu.isdigit()]
        khz = _number(policy / "scaling_cur_freq")
        if cpus and khz:
            highest = _number(policy / "cpuinfo_max_freq") or _number(policy / "scaling_max_freq")
            governor = text(policy / "scaling_governor")
            mhz, highest_mhz = round(khz / 1e3), _mhz(highest, 1e3)
            cpu_clocks.append(Clock(f"CPU {cpu_list(tuple(cpus))}", mhz, highest_mhz, governor))
    for device in (root / "sys/class/devfreq").glob("*"):
        name = next((kind for kind, names in DEVICES.items() if names.match(device.name)), None)
        hz = _number(device / "cur_freq")
        if name and hz:
            highest, governor = _number(device / "max_freq"), text(device / "governor")
            devices[name] = Clock(name, round(hz / 1e6), _mhz(highest, 1e6), governor)
    return (*cpu_clocks, *(devices[name] for name in DEVICES if name in devices))


def _mhz(value: int | None, per_mhz: float) -> int | None:
    return round(value / per_mhz) if value else None


def _number(file: Path) -> int | None:
    try:
        return int(text(file) or "")
    except ValueError:
        return None
