"""YAML to a frozen FarmConfig; everything a user can say is checked here, once, in their words."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from farm.errors import ConfigError
from farm.platforms import HOST, SOCS
from workers.spec import InputHint

PLATFORMS: Final = (*SOCS, HOST)
STDIN: Final = "-"
# What PyYAML raises for some texts: a date that is none, an unknown tag, brackets without end.
NOT_YAML: Final = (yaml.YAMLError, ValueError, AttributeError, RecursionError)
MOST_CPUS: Final = 4096
MOST_RUNTIMES: Final = 256
FORMS: Final = {  # where pydantic would speak of its own types, or of one of two forms only
    "size": f"use auto, or a number from 1 to {MOST_RUNTIMES}",
    "cpu": "use fast, slow, all, or a list of CPUs like [4, 5] or 4-7",
    "decoders": "use auto, or a number from 1 to 64",
    "decoder_cpu": "use same, fast, slow, all, or a list of CPUs like [0, 1] or 0-3",
    "npu_cores": "use all, or a list of cores like [0, 1]",
    "input.mean": "use three numbers, like [127.5, 127.5, 127.5]",
    "input.std": "use three numbers above 0, like [127.5, 127.5, 127.5]",
    "model": "use the path of a model file",
    "batch_seconds": "use auto, or seconds above 0",
    "labels": "use the path of a file with one label a line",
    "images": "use a folder, a file, a glob or a .txt list",
}
BRANCH: Final = r"\[|^constrained-"  # how pydantic names the branches of a union
SECTIONS: Final = ("input", "simulated")
PATH_KEYS: Final = ("model", "images", "labels")


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
    """What the model does not tell of its input itself; see workers.spec.InputSpec."""

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


def load(path: Path, overrides: Mapping[str, Any]) -> FarmConfig:
    """Read a config file and lay `overrides` (dotted keys allowed) over it.

    Relative paths in the file are taken from the file's folder; those in `overrides` from the
    current one. Raises ConfigError in one or two lines: file, key, value, what would be right.
    """
    values = _absolute(_read(path), path.parent)
    for key, value in overrides.items():
        _put(values, key, value)
    return checked(values, path, said=frozenset(key.partition(".")[0] for key in overrides))


def checked(
    values: Mapping[str, Any], path: Path | None = None, said: frozenset[str] = frozenset()
) -> FarmConfig:
    """Check a config's values; raises ConfigError, which blames keys in `said` on the flags."""
    try:
        return FarmConfig.model_validate(values)
    except ValidationError as error:
        key, words = _in_words(error)
        flag = path is None or key.partition(".")[0] in said
        raise ConfigError(f"{'command line' if flag else path}: {words}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {getattr(error, 'strerror', error)}") from error
    try:
        values = yaml.safe_load(text)
    except NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{at}: not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{path}: a config is a list of `key: value` lines")
    return values


def _absolute(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    named = [key for key in PATH_KEYS if isinstance(values.get(key), str) and values[key] != STDIN]
    paths = {key: os.path.normpath(folder / values[key]) for key in named}
    return {**values, **paths}


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        inner = values.get(parent)
        values[parent] = dict(inner) if isinstance(inner, dict) else {}
        values = values[parent]
    values[last] = value


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


def _in_words(error: ValidationError) -> tuple[str, str]:
    """Give the key of the worst mistake, and a line or two about it."""
    # A misspelt key first: it explains the one that is missing.
    mistakes = sorted(error.errors(), key=lambda mistake: mistake["type"] != "extra_forbidden")
    first = mistakes[0]
    unknown = first["type"] == "extra_forbidden"
    # The place names union branches ('tuple[...]', 'constrained-float') after the key; skip those.
    # An unknown key stands at no branch, and may look like one.
    place = [str(part) for part in first["loc"] if unknown or not re.search(BRANCH, str(part))]
    key = ".".join(place)
    more = len({mistake["loc"][:1] for mistake in mistakes}) - 1
    rest = f"\n({more} more like this)" if more else ""
    if unknown:
        return key, f"{key}: not a known key; known are {', '.join(_known_keys(place))}{rest}"
    reason = first["msg"].removeprefix("Value error, ")
    if not place:  # a rule of ours about several keys; it names the first itself
        return reason.partition(":")[0], f"{reason}{rest}"
    if key in SECTIONS:
        return key, f"{key}: {first['input']!r:.60}: write its keys below it, or as {key}.KEY{rest}"
    form = next((form for name, form in FORMS.items() if f"{key}.".startswith(f"{name}.")), None)
    if first["type"] == "missing" and form is None:
        return key, f"{key}: missing{rest}"
    return key, f"{key}: {first['input']!r:.60}: {form or reason}{rest}"


def _known_keys(place: list[str]) -> list[str]:
    inner: dict[str, type[_Frozen]] = {"input": InputConfig, "simulated": SimulatedConfig}
    model = inner.get(place[0], FarmConfig) if len(place) > 1 else FarmConfig
    return sorted(model.model_fields)
