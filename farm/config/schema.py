"""The keys of a config: types, ranges, defaults, and which values go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticKnownError

from farm.config import tasks
from farm.config.numbers import NUMBERS, parse_numbers
from farm.hardware.platforms import HOST, SOCS, detect
from workers.protocol.spec import AUTO, CLASSIFY, InputHint

FOLDER: Final = "folder"  # the truth that is the name of an image's folder
PLATFORMS: Final = (*SOCS, HOST)
MOST_RUNTIMES: Final = 256


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Shift = Annotated[float, Field(ge=-1e6, le=1e6)]
Triple = tuple[Shift, Shift, Shift]
Scale = Annotated[float, Field(gt=0, le=1e6)]
Count = Annotated[int, Field(ge=1, strict=True)]  # strict: true is not a number
Index = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Indices = Annotated[
    tuple[Index, ...],
    Field(min_length=1),
    BeforeValidator(parse_numbers),
    WithJsonSchema({"anyOf": [
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": f"^{NUMBERS}$"},
    ]}),
]  # fmt: skip
CpuClass = Literal["fast", "slow", "all"]


class InputConfig(_Frozen):
    """What a model file does not say about its input; see workers.protocol.spec.InputSpec."""

    width: Annotated[Count, Field(le=8192)] | None = None
    """In pixels; default: the model's own, as for all of these."""
    height: Annotated[Count, Field(le=8192)] | None = None
    """In pixels."""
    layout: Literal["NHWC", "NCHW"] | None = None
    """Order of the dimensions: channels last, or first."""
    dtype: Literal["uint8", "float32"] | None = None
    """Type of the values."""
    mean: Triple = (0.0, 0.0, 0.0)
    """What is subtracted from the values 0 to 255, per channel in the order of color."""
    std: tuple[Scale, Scale, Scale] = (1.0, 1.0, 1.0)
    """What they are then divided by, per channel in the order of color."""
    fit: Literal["stretch", "letterbox", "crop"] | None = None
    """How an image fills the input: stretched, whole between grey bars, or its middle."""
    color: Literal["rgb", "bgr"] | None = None
    """Order of the channels."""

    def hint(self) -> InputHint:
        """Return the same as plain data for the workers."""
        return InputHint(**self.model_dump())


class SimulatedConfig(_Frozen):
    """The simulated NPU; None stands for the platform's own value."""

    service_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    """Time of one inference, in milliseconds; default: the platform's."""
    npu_cores: Annotated[Count, Field(le=64)] | None = None
    """Number of NPU cores; default: the platform's."""
    seed: Index = 0
    """Another seed gives other made-up answers."""
    classes: Annotated[int, Field(ge=2, le=100_000, strict=True)] = 1000
    """Number of classes in the answers."""


def core_count(valid: Mapping[str, Any]) -> int | None:
    """Return how many NPU cores a config's platform has, of its fields that are valid.

    None without a fixed number (host), or if a field that decides it is missing.
    """
    if not valid.keys() >= {"platform", "runtime", "simulated"}:
        return None
    simulated = valid["runtime"] == "simulated"
    if simulated and valid["simulated"].npu_cores is not None:
        return int(valid["simulated"].npu_cores)
    if valid["platform"] in SOCS:
        return SOCS[valid["platform"]].npu_cores
    return 1 if simulated else None


class FarmConfig(_Frozen):
    """One farm as its user configured it.

    A check sees the fields above its own, if they are valid: so all mistakes are found at once.
    """

    platform: Annotated[str, Field(json_schema_extra={"enum": [*PLATFORMS, AUTO]})]
    """The SoC, host for any machine without an NPU, or auto: what this machine is."""
    model: Path | None = None
    """Model file; on an NPU, name.onnx means name-SOC.rknn in the same folder."""
    labels: Path | None = None
    """File with the class names, one a line."""
    task: Annotated[str, Field(json_schema_extra={"pattern": tasks.PATTERN})] = CLASSIFY
    """What is made of the model's outputs: classify, detect, or package.module:name, your own."""
    task_options: Annotated[
        dict[str, Any], BeforeValidator(lambda said: {} if said is None else said)
    ] = {}
    """Options of the task; those of detect: family, score, iou, limit, anchors, classes."""
    images: str | None = None
    """Folder, file, glob or .txt list of paths; default: the bundled sample images."""
    truth: str | None = None
    """Regular expression with one group, the right label in a path; or folder: its folder's."""
    runtime: Literal["auto", "rknn", "onnx", "simulated"] = "auto"
    """What runs the model; auto: the NPU if there is one, else ONNX Runtime on the CPU."""
    simulated: SimulatedConfig = SimulatedConfig()
    """The simulated NPU."""
    npu_cores: Literal["all"] | Indices = "all"
    """NPU cores to use."""
    allow_uneven: bool = False
    """Allow a size that gives some NPU cores more runtimes than others."""
    size: Literal["auto"] | Annotated[Count, Field(le=MOST_RUNTIMES)] | None = None
    """Number of runtimes, one process each; default: two per NPU core, on host one per CPU."""
    cpu: CpuClass | Indices = "fast"
    """CPUs the workers run on."""
    strict_affinity: bool = False
    """Stop if some of these CPUs are missing, instead of using the others with a warning."""
    batch: Annotated[Count, Field(le=1024)] = 8
    """Most images in one message to a worker."""
    window: Annotated[Count, Field(le=64)] = 2
    """Most batches that one worker has at a time."""
    decoders: Literal["auto"] | Annotated[Count, Field(le=64)] = "auto"
    """Decoder threads per worker; auto: as many as keep its CPUs busy."""
    decoder_cpu: Literal["same"] | CpuClass | Indices = "same"
    """CPUs the decoder threads run on; same: those of cpu."""
    decode: Literal["exact", "fast"] = "exact"
    """As the published examples do; or fast: large JPEGs at 1/2, 1/4 or 1/8 of their size."""
    output: Literal["auto", "softmax", "none"] = "auto"
    """Whether the model's scores still need a softmax; auto decides by a test image."""
    max_pixels: Annotated[Count, Field(le=2**30)] = 100_000_000  # 2**30: OpenCV's own limit
    """Larger images are refused; a pixel takes 3 bytes of memory, in progressive JPEGs 9."""
    start_seconds: Seconds = 60.0
    """Time limit for opening a runtime, and for making a task of your own."""
    self_test_seconds: Seconds = 10.0
    """Time limit for the one inference with which each worker starts."""
    on_bad_core: Literal["quarantine", "fail"] = "quarantine"
    """An NPU core that can't be used is left out with a warning; or fail: the farm stops."""
    batch_seconds: Seconds | Literal["auto"] = 60.0
    """Time limit for a batch, then its worker is replaced; auto learns it."""
    max_worker_mb: Annotated[Count, Field(le=2**31 - 1)] | None = None
    """A worker that uses more memory is replaced; default: an equal share of the machine's."""
    drain_seconds: Seconds = 10.0
    """Time limit for finishing what is in flight when the run is stopped."""
    input: InputConfig = InputConfig()
    """What the model file does not say about its input."""

    @field_validator("platform")
    @classmethod
    def check_platform(cls, name: str) -> str:
        """Return one of PLATFORMS, of AUTO this machine's; raise an error for another name."""
        if name == AUTO:
            return detect().soc or HOST
        if name not in PLATFORMS:
            raise PydanticKnownError("enum", {"expected": ", ".join(PLATFORMS)})
        return name

    @field_validator("task")
    @classmethod
    def check_task(cls, name: str) -> str:
        """Raise ValueError for a name of no task."""
        tasks.check_name(name)
        return name

    @field_validator("task_options")
    @classmethod
    def check_task_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Raise ValueError for options that the task has not."""
        if "task" in info.data:
            tasks.check_options(info.data["task"], options)
        return options

    @field_validator("truth")
    @classmethod
    def check_truth(cls, pattern: str | None, info: ValidationInfo) -> str | None:
        """Raise ValueError unless it is a regular expression with one group, or FOLDER."""
        if pattern is not None and info.data.get("task") not in (CLASSIFY, None):
            raise ValueError("only classify can be judged; remove it")
        if pattern is None or pattern == FOLDER:
            return pattern
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"invalid regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"it has {groups} groups; use one (group), which matches the label")
        return pattern

    @field_validator("npu_cores")
    @classmethod
    def check_npu_cores(cls, named: Any, info: ValidationInfo) -> Any:
        """Raise ValueError for an NPU core that the platform does not have."""
        count = core_count(info.data)
        if named != "all" and count is not None and max(named) >= count:
            has = f"cores 0 to {count - 1}" if count > 1 else "core 0 only"
            raise ValueError(f"{info.data['platform']} has {has}")
        return named

    @field_validator("size")
    @classmethod
    def check_size(cls, size: Any, info: ValidationInfo) -> Any:
        """Raise ValueError for a size that gives some NPU cores more runtimes than others."""
        valid = info.data
        count, named = core_count(valid), valid.get("npu_cores")
        if not isinstance(size, int) or count is None or named is None:
            return size
        cores = count if named == "all" else len(set(named))
        if size > cores and size % cores and valid.get("allow_uneven") is False:
            below = size // cores * cores
            raise ValueError(
                f"{valid['platform']} has {cores} NPU cores: "
                f"use {below} or {below + cores}, or set allow_uneven: true"
            )
        return size

    def core_count(self) -> int | None:
        """Return how many NPU cores the platform has; None without a fixed number (host)."""
        return core_count(vars(self))
