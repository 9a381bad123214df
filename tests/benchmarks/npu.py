"""The simulated NPU that all are measured on."""

from __future__ import annotations

from dataclasses import dataclass

# Of an rk3588's core for a MobileNet, in earlier measurements of such pools. With another time, a
# machine whose CPUs are slower can have the same balance of decoding and inference.
RK3588 = "3x2.6"


@dataclass(frozen=True, slots=True)
class Npu:
    """`cores` cores that take `service_ms` for an inference."""

    cores: int
    service_ms: float

    @classmethod
    def parse(cls, text: str) -> Npu:
        """Read `3x2.6`: cores, and ms for an inference; raise ValueError."""
        cores, _, service_ms = text.partition("x")
        return cls(int(cores), float(service_ms))

    def limit_ms(self, runtimes: int) -> float:
        """Return the ms per image below which `runtimes` can't come, one per core first."""
        return self.service_ms / min(runtimes, self.cores)
