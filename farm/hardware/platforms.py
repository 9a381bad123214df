"""What each SoC has, and which one this machine is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from farm.system.file_access import text
from farm.system.memory import total_mb

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
    model_platform: str
    service_ms: float

    @property
    def takes_core_mask(self) -> bool:
        """Whether a runtime may set a core mask: the vendor's library refuses one on one core."""
        return self.npu_cores > 1

    def differences(self, machine: Machine) -> list[str]:
        """Return one sentence for each fact in which `machine` differs from this SoC's table."""
        if machine.soc is not None and machine.soc != self.name:
            return [f"the config is for {self.name}, the device tree says {machine.soc}"]
        if machine.unsupported is not None and self.name != HOST:
            return [f"the config is for {self.name}, this is an {machine.unsupported}"]
        if machine.soc is None or not machine.capacities:
            return []
        found = []
        for kind, table, measured in (
            ("fast", self.fast, machine.fastest()),
            ("slow", self.slow, machine.slowest()),
        ):
            expected = tuple(cpu for cpu in table if cpu in machine.cpus)
            if expected != measured:
                found.append(
                    f"{self.name}: its {kind} CPUs should be {cpu_list(expected)}, the "
                    f"kernel's cpu_capacity says {cpu_list(measured)}; using {cpu_list(expected)}"
                )
        return found


_TABLE: Final = (  # name, NPU cores, fast CPUs, whose models it runs, service_ms
    ("rk3588", 3, range(4, 8), "rk3588", 2.2),
    ("rk3582", 3, range(4, 6), "rk3588", 2.2),  # an rk3588 with two CPUs fewer
    ("rk3576", 2, range(4, 8), "rk3576", 2.1),
    ("rk3568", 1, range(4), "rk3566", 5.5),  # both run models built for either
    ("rk3566", 1, range(4), "rk3566", 5.5),
    ("rk3562", 1, range(4), "rk3562", 3.6),
)
SOCS: Final[Mapping[str, Platform]] = MappingProxyType(
    {
        name: Platform(
            name=name,
            npu_cores=cores,
            fast=tuple(fast),
            slow=(0, 1, 2, 3),
            model_platform=models,
            service_ms=ms,
        )
        for name, cores, fast, models, ms in _TABLE
    }
)

NO_NPU: Final = "it has no NPU"
# Rockchip's other SoCs, as far as they are known: what they lack, by the start of their names.
_OTHERS: Final = (
    (
        "rk3399pro rk1808 rk1806 rv1109 rv1126",
        "its NPU needs the vendor's older rknn-toolkit 1.x, which npu-farm does not support",
    ),
    (
        "rv1103 rv1106 rk2118",
        "its NPU needs the vendor's librknnmrt, which has no Python package",
    ),
    ("rv1126b", "its NPU is not in npu-farm's tables"),
    (
        "rk3528 rk3506 rk3399 rk3368 rk3328 rk3326 px30 rk3308 rk3288 rk3229 rk3228 rk3188 "
        "rk3128 rk3066 rk3036",
        NO_NPU,
    ),
)
OTHERS: Final[Mapping[str, str]] = MappingProxyType(
    {name: reason for names, reason in _OTHERS for name in names.split()}
)
ROCKCHIP: Final = re.compile(r"rockchip,((?:rk|rv|px)\d+[a-z]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine is: its SoC (None if it is not in SOCS) and the CPUs we may use.

    `capacities` maps a CPU to its relative speed (1024 is the fastest kind), empty where the
    kernel does not show it. `other_soc` is a SoC of Rockchip's that is not in SOCS. `memory_mb` is
    None if unknown.
    """

    soc: str | None
    cpus: tuple[int, ...]
    capacities: Mapping[int, int]
    other_soc: str | None = None
    memory_mb: float | None = None

    @property
    def unsupported(self) -> str | None:
        """Which other SoC this is, and why npu-farm does not use its NPU; None if it is none."""
        if self.other_soc is None:
            return None
        # The longest name is the most exact: an rv1126b is no rv1126.
        known = [name for name in sorted(OTHERS, key=len) if self.other_soc.startswith(name)]
        return f"{self.other_soc}: {OTHERS[known[-1]] if known else 'npu-farm does not know it'}"

    @property
    def has_npu(self) -> bool:
        """Whether there is, or may be, an NPU of Rockchip's: one of SOCS, or an unsupported one."""
        return self.soc is not None or not (self.unsupported or NO_NPU).endswith(NO_NPU)

    def fastest(self) -> tuple[int, ...]:
        """Return the CPUs of the highest capacity; all where the capacities are unknown."""
        return self._of_capacity(max(self.capacities.values(), default=0))

    def slowest(self) -> tuple[int, ...]:
        """Return the CPUs of the lowest capacity; all where the capacities are unknown."""
        return self._of_capacity(min(self.capacities.values(), default=0))

    def as_platform(self) -> Platform:
        """Return this machine as one without an NPU: its CPUs, and one core for simulations."""
        return Platform(
            name=HOST,
            npu_cores=1,
            # Under taskset, there may be no CPU of one kind left.
            fast=self.fastest() or self.cpus,
            slow=self.slowest() or self.cpus,
            model_platform=HOST,
            service_ms=2.2,  # as on an rk3588
        )

    def _of_capacity(self, capacity: int) -> tuple[int, ...]:
        return tuple(cpu for cpu in self.cpus if self.capacities.get(cpu, capacity) == capacity)


def detect(root: Path = Path("/")) -> Machine:
    """Read what this machine is from its device tree and sysfs (below `root`)."""
    compatible = (text(root / "proc/device-tree/compatible") or "").lower()
    try:
        capacities = {
            int(file.parent.name.removeprefix("cpu")): int(file.read_text())
            for file in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpu_capacity")
        }
    except (OSError, ValueError):
        capacities = {}  # some of the capacities would order the CPUs wrongly
    # The first name is the most exact: an rk3582 may also be compatible with an rk3588s.
    soc = min((name for name in SOCS if name in compatible), key=compatible.index, default=None)
    other = ROCKCHIP.search(compatible) if soc is None else None
    return Machine(
        soc=soc,
        other_soc=other[1] if other else None,
        cpus=tuple(sorted(os.sched_getaffinity(0))),
        capacities=MappingProxyType(capacities),
        memory_mb=total_mb(),
    )


def runs(platform: Platform, target: str) -> bool:
    """Return whether a .rknn model built for the SoC `target` runs on `platform`."""
    built_for = SOCS[target].model_platform if target in SOCS else target
    return built_for == platform.model_platform


def cpu_list(cpus: tuple[int, ...]) -> str:
    """Return CPU numbers as the kernel writes them: 0-3,6."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][-1] + 1:
            spans[-1].append(cpu)
        else:
            spans.append([cpu])
    return ",".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else f"{each[0]}" for each in spans)
