"""The keys of a config: types, ranges, defaults, and which values go together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from farm.hardware.platforms import HOST, SOCS
from workers.protocol.spec import InputHint

PLATFORMS: Final = (*SOCS, HOST)
MOST_CPUS: Final = 4096
MOST_RUNTIMES: Final = 256


def parse_numbers(value: object) -> object:
    """Return a tuple for numbers written as `4`, `4,5` or `4-7`; anything else as it is."""
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


Shift = Annotated[float, Field(ge=-1e6, le=1e6)]
Triple = tuple[Shift, Shift, Shift]
Scale = Annotated[float, Field(gt=0, le=1e6)]
Count = Annotated[int, Field(ge=1, strict=True)]  # strict: true is not a number
Index = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Indices = Annotated[tuple[Index, ...], Field(min_length=1), BeforeValidator(parse_numbers)]
CpuClass = Literal["fast", "slow", "all"]


class InputConfig(_Frozen):
    """What a model file does not say about its input; see workers.protocol.spec.InputSpec."""

    width: Annotated[Count, Field(le=8192)] | None = None
    height: Annotated[Count, Field(le=8192)] | None = None
    layout: Literal["NHWC", "NCHW"] | None = None
    dtype: Literal["uint8", "float32"] | None = None
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[Scale, Scale, Scale] = (1.0, 1.0, 1.0)

    def hint(self) -> InputHint:
        """Return the same as plain data for the workers."""
        return InputHint(**self.model_dump())


class SimulatedConfig(_Frozen):
    """The simulated NPU; None stands for the platform's own value."""

    service_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    npu_cores: Annotated[Count, Field(le=64)] | None = None
    seed: Index = 0
    classes: Annotated[int, Field(ge=2, le=100_000, strict=True)] = 1000


class FarmConfig(_Frozen):
    """One farm as its user configured it."""

    platform: str
    model: Path | None = None
    labels: Path | None = None
    images: str | None = None
    truth: str | None = None
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
    output: Literal["auto", "softmax", "none"] = "auto"
    max_pixels: Annotated[Count, Field(le=2**30)] = 100_000_000  # 2**30: OpenCV's own limit
    start_seconds: Seconds = 60.0
    self_test_seconds: Seconds = 10.0
    on_bad_core: Literal["quarantine", "fail"] = "quarantine"
    batch_seconds: Seconds | Literal["auto"] = 60.0
    max_worker_mb: Annotated[Count, Field(le=2**31 - 1)] | None = None
    drain_seconds: Seconds = 10.0
    input: InputConfig = InputConfig()
    simulated: SimulatedConfig = SimulatedConfig()

    @field_validator("platform")
    @classmethod
    def check_platform(cls, name: str) -> str:
        """Raise ValueError for a platform that is not one of PLATFORMS."""
        if name not in PLATFORMS:
            raise ValueError(f"unknown platform; use one of {', '.join(PLATFORMS)}")
        return name

    @field_validator("truth")
    @classmethod
    def check_truth(cls, pattern: str | None) -> str | None:
        """Raise ValueError unless it is a regular expression with one group."""
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"invalid regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"it has {groups} groups; use one (group), which matches the label")
        return pattern

    @model_validator(mode="after")
    def check_npu_cores(self) -> FarmConfig:
        """Raise ValueError for an NPU core that the platform does not have."""
        count = self.core_count()
        named = () if self.npu_cores == "all" else self.npu_cores
        for core in named:
            if count is not None and core >= count:
                has = f"cores 0 to {count - 1}" if count > 1 else "core 0 only"
                raise ValueError(f"npu_cores: {core}: {self.platform} has {has}")
        return self

    @model_validator(mode="after")
    def check_size(self) -> FarmConfig:
        """Raise ValueError for a size that gives some NPU cores more runtimes than others."""
        available, size = self.core_count(), self.size
        if available is None or not isinstance(size, int) or self.allow_uneven:
            return self
        cores = available if self.npu_cores == "all" else len(set(self.npu_cores))
        if size > cores and size % cores:
            below = size // cores * cores
            raise ValueError(
                f"size: {size}: {self.platform} has {cores} NPU cores: "
                f"use {below} or {below + cores}, or set allow_uneven: true"
            )
        return self

    def core_count(self) -> int | None:
        """Return how many NPU cores the platform has; None without a fixed number (host)."""
        if self.runtime == "simulated" and self.simulated.npu_cores is not None:
            return self.simulated.npu_cores
        if self.platform in SOCS:
            return SOCS[self.platform].npu_cores
        return 1 if self.runtime == "simulated" else None
