"""What each SoC has, and which one this machine is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

HOST: Final = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One SoC: its NPU cores, its fast and slow CPUs, whose models it runs.

    `service_ms` is the time of one MobileNet-v2 INT8 inference on one core, as the vendor
    publishes it (RKNN model zoo 2.3.2, README); the simulated runtime waits that long. See
    docs/simulated.md.
    """

    name: str
    npu_cores: int
    fast: tuple[int, ...]
    slow: tuple[int, ...]
    takes_core_mask: bool
    model_platform: str
    service_ms: float


def _cpus(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _one_core(name: str, model_platform: str, service_ms: float) -> Platform:
    return Platform(
        name=name,
        npu_cores=1,
        fast=_cpus(0, 3),
        slow=_cpus(0, 3),
        takes_core_mask=False,
        model_platform=model_platform,
        service_ms=service_ms,
    )


def _many_cores(name: str, npu_cores: int, fast: tuple[int, ...], service_ms: float) -> Platform:
    return Platform(
        name=name,
        npu_cores=npu_cores,
        fast=fast,
        slow=_cpus(0, 3),
        takes_core_mask=True,
        model_platform="rk3588" if name == "rk3582" else name,
        service_ms=service_ms,
    )


_TABLE: Final = (
    _many_cores("rk3588", 3, _cpus(4, 7), 2.2),
    _many_cores("rk3582", 3, _cpus(4, 5), 2.2),  # an rk3588 with two CPUs fewer
    _many_cores("rk3576", 2, _cpus(4, 7), 2.1),
    _one_core("rk3568", "rk3566", 5.5),  # both run models built for either
    _one_core("rk3566", "rk3566", 5.5),
    _one_core("rk3562", "rk3562", 3.6),
)
SOCS: Final[Mapping[str, Platform]] = MappingProxyType({p.name: p for p in _TABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine is: its SoC (None if it is none of ours) and the CPUs we may use.

    `capacities` maps a CPU to its relative speed (1024 is the fastest kind), empty where the
    kernel does not tell.
    """

    soc: str | None
    cpus: tuple[int, ...]
    capacities: Mapping[int, int]

    def fastest(self) -> tuple[int, ...]:
        """The CPUs of the highest capacity; all where the kernel does not tell."""
        return self._of_capacity(max(self.capacities.values(), default=0))

    def slowest(self) -> tuple[int, ...]:
        """The CPUs of the lowest capacity; all where the kernel does not tell."""
        return self._of_capacity(min(self.capacities.values(), default=0))

    def _of_capacity(self, capacity: int) -> tuple[int, ...]:
        return tuple(cpu for cpu in self.cpus if self.capacities.get(cpu, capacity) == capacity)


def runs(platform: Platform, target: str) -> bool:
    """Whether a .rknn model built for the SoC `target` runs on `platform`."""
    built_for = SOCS[target].model_platform if target in SOCS else target
    return built_for == platform.model_platform


def host(machine: Machine) -> Platform:
    """Describe a machine without an NPU: its CPUs, and one make-believe core for simulations."""
    return Platform(
        name=HOST,
        npu_cores=1,
        # Under taskset, there may be no CPU of one kind left.
        fast=machine.fastest() or machine.cpus,
        slow=machine.slowest() or machine.cpus,
        takes_core_mask=False,
        model_platform=HOST,
        service_ms=2.2,  # as on an rk3588
    )


def detect(root: Path = Path("/")) -> Machine:
    """Read what this machine is from its device tree and sysfs (below `root`)."""
    return Machine(
        soc=_soc(root / "proc/device-tree/compatible"),
        cpus=tuple(sorted(os.sched_getaffinity(0))),
        capacities=MappingProxyType(_capacities(root / "sys/devices/system/cpu")),
    )


def disagreements(platform: Platform, machine: Machine) -> list[str]:
    """Say, a sentence each, where the machine is not what the table tells of its SoC."""
    said = []
    if machine.soc is not None and machine.soc != platform.name:
        said.append(f"the config is for {platform.name}, the device tree says {machine.soc}")
    elif machine.soc is not None and machine.capacities:
        for word, table, found in (
            ("fast", platform.fast, machine.fastest()),
            ("slow", platform.slow, machine.slowest()),
        ):
            expected = tuple(cpu for cpu in table if cpu in machine.cpus)
            if expected != found:
                said.append(
                    f"{platform.name}: its {word} CPUs should be {cpu_list(expected)}, the "
                    f"kernel's cpu_capacity says {cpu_list(found)}; using {cpu_list(expected)}"
                )
    return said


def cpu_list(cpus: tuple[int, ...]) -> str:
    """Write CPU numbers as the kernel does: 0-3,6."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _soc(compatible: Path) -> str | None:
    try:
        text = compatible.read_bytes().decode("ascii", "replace").lower()
    except OSError:
        return None
    # From the board to the most general: an rk3582 may go on to say it is an rk3588s, too.
    return min((name for name in SOCS if name in text), key=text.index, default=None)


def _capacities(cpu_root: Path) -> dict[int, int]:
    try:
        return {
            int(file.parent.name.removeprefix("cpu")): int(file.read_text())
            for file in cpu_root.glob("cpu[0-9]*/cpu_capacity")
        }
    except (OSError, ValueError):
        return {}  # half a picture would be a wrong one
