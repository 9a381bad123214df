"""What a farm can be told: its keys, their types and defaults, and what goes together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from farm.hardware.platforms import HOST, SOCS
from workers.protocol.spec import InputHint

PLATFORMS: Final = (*SOCS, HOST)
MOST_CPUS: Final = 4096
MOST_RUNTIMES: Final = 256


def _known_platform(name: str) -> str:
    if name not in PLATFORMS:
        raise ValueError(f"not a platform; use one of {', '.join(PLATFORMS)}")
    return name


def _regex_with_a_group(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if compiled.groups != 1:
        raise ValueError("needs exactly one (group), which holds the label")
    return pattern


def _numbers(value: object) -> object:
    """Let a list of numbers be written as `4,5` or `4-7`, too, as on a command line."""
    if type(value) is int:
        return (value,)
    if not isinstance(value, str) or not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", value):
        return value
    spans = [part.split("-") for part in value.split(",")]
    if any(int(number) >= MOST_CPUS for span in spans for number in span):
        return value
    return tuple(cpu for span in spans for cpu in range(int(span[0]), int(span[-1]) + 1))


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Triple = tuple[float, float, float]
Count = Annotated[int, Field(ge=1, strict=True)]  # strict: true is no number
Index = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Indices = Annotated[tuple[Index, ...], Field(min_length=1), BeforeValidator(_numbers)]
CpuClass = Literal["fast", "slow", "all"]


class InputConfig(_Frozen):
    """What the model does not tell of its input itself; see workers.protocol.spec.InputSpec."""

    width: Annotated[Count, Field(le=8192)] | None = None
    height: Annotated[Count, Field(le=8192)] | None = None
    layout: Literal["NHWC", "NCHW"] | None = None
    dtype: Literal["uint8", "float32"] | None = None
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[
        Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]
    ] = (1.0, 1.0, 1.0)

    def hint(self) -> InputHint:
        """The same as the workers' plain data."""
        return InputHint(**self.model_dump())


class SimulatedConfig(_Frozen):
    """The simulated NPU's figures; None takes the platform's."""

    service_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    npu_cores: Annotated[Count, Field(le=64)] | None = None
    seed: Index = 0
    classes: Annotated[Count, Field(le=100_000)] = 1000


class FarmConfig(_Frozen):
    """One farm, as its user described it; defaults are what most want."""

    platform: Annotated[str, AfterValidator(_known_platform)]
    model: Path | None = None
    labels: Path | None = None
    images: str | None = None
    truth: Annotated[str, AfterValidator(_regex_with_a_group)] | None = None
    runtime: Literal["auto", "rknn", "onnx", "simulated"] = "auto"
    size: Literal["auto"] | Annotated[Count, Field(le=MOST_RUNTIMES)] | None = None
    allow_uneven: bool = False
    cpu: CpuClass | Indices = "fast"
    strict_affinity: bool = False
    npu_cores: Literal["all"] | Indices = "all"
    batch: Annotated[Count, Field(le=1024)] = 8
    window: Annotated[Count, Field(le=64)] = 2
    decoders: Literal["auto"] | Annotated[Count, Field(le=64)] = "auto"
    decoder_cpu: Literal["same"] | CpuClass | Indices = "same"
    decode: Literal["exact", "fast"] = "exact"
    max_pixels: Annotated[Count, Field(le=2**30)] = 100_000_000  # 2**30: OpenCV's own limit
    start_seconds: Seconds = 60.0
    self_test_seconds: Seconds = 10.0
    on_bad_core: Literal["quarantine", "fail"] = "quarantine"
    batch_seconds: Seconds | Literal["auto"] = 60.0
    max_worker_mb: Annotated[int, Field(ge=1, strict=True)] | None = None
    drain_seconds: Seconds = 10.0
    input: InputConfig = InputConfig()
    simulated: SimulatedConfig = SimulatedConfig()

    @model_validator(mode="after")
    def _check_cores(self) -> FarmConfig:
        _check_npu_cores(self)
        _check_size(self)
        return self

    def core_count(self) -> int | None:
        """How many NPU cores the platform has; None where there is no fixed number (host)."""
        if self.runtime == "simulated" and self.simulated.npu_cores is not None:
            return self.simulated.npu_cores
        if self.platform in SOCS:
            return SOCS[self.platform].npu_cores
        return 1 if self.runtime == "simulated" else None


def _check_npu_cores(config: FarmConfig) -> None:
    cores = config.core_count()
    named = () if config.npu_cores == "all" else config.npu_cores
    for core in named:
        if cores is not None and core >= cores:
            has = f"cores 0 to {cores - 1}" if cores > 1 else "core 0 only"
            raise ValueError(f"npu_cores: {core}: {config.platform} has {has}")


def _check_size(config: FarmConfig) -> None:
    available = config.core_count()
    size = config.size
    if available is None or not isinstance(size, int) or config.allow_uneven:
        return
    cores = available if config.npu_cores == "all" else len(set(config.npu_cores))
    if size <= cores or size % cores == 0:
        return
    below = size // cores * cores
    raise ValueError(
        f"size: {size}: {config.platform} has {cores} NPU cores to fill; "
        f"use {below} or {below + cores} (or allow_uneven: true)"
    )
