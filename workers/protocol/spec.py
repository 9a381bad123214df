"""A worker's settings and its model's input, as plain frozen data that travels."""

from __future__ import annotations

from typing import Final

import msgspec

UINT8: Final = "uint8"
FLOAT32: Final = "float32"
NHWC: Final = "NHWC"
NCHW: Final = "NCHW"
EXACT: Final = "exact"
FAST: Final = "fast"
STRETCH: Final = "stretch"
LETTERBOX: Final = "letterbox"
CROP: Final = "crop"
RGB: Final = "rgb"
BGR: Final = "bgr"
AUTO: Final = "auto"
SOFTMAX: Final = "softmax"
NONE: Final = "none"
CLASSIFY: Final = "classify"
DETECT: Final = "detect"
K: Final = 5  # of top-5
# OpenCV reads its limit here, once, when it is imported: a larger image is refused undecoded.
MAX_PIXELS_VARIABLE: Final = "OPENCV_IO_MAX_IMAGE_PIXELS"


class WireStruct(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What travels between coordinator and workers, as the array [tag, field, ...].

    A tag is part of the format: take the next number for a new class, never renumber.
    """


class InputSpec(WireStruct, frozen=True, tag=14, kw_only=True):
    """The image tensor a model takes: one image as `width` x `height` pixels.

    `layout` is NHWC or NCHW; `dtype` is uint8 or float32. A float32 tensor holds
    (value - mean) / std per channel, value being 0 to 255; a uint8 tensor holds the values
    unchanged, so it takes neither mean nor std. `fit` is STRETCH, LETTERBOX or CROP, see
    workers.images.fit; `color`, RGB or BGR, is the order of the channels, of mean and std, too.
    """

    width: int
    height: int
    layout: str
    dtype: str
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    fit: str = STRETCH
    color: str = RGB


class InputHint(WireStruct, frozen=True, tag=13, kw_only=True):
    """What the config says of the model's input; None where it leaves that to the model."""

    width: int | None = None
    height: int | None = None
    layout: str | None = None
    dtype: str | None = None
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    fit: str | None = None
    color: str | None = None


class SimulatedSpec(WireStruct, frozen=True, tag=15, kw_only=True):
    """A simulated NPU: `npu_cores` timelines in the file `timelines`, shared by all its users.

    One inference occupies a core for `service_ms` milliseconds; `seed` and the pixels
    determine the scores of the `classes` classes, or the boxes.
    """

    timelines: str
    npu_cores: int
    service_ms: float
    seed: int
    classes: int


class WorkerSpec(WireStruct, frozen=True, tag=12, kw_only=True):
    """All settings of one worker process: its runtime, its CPUs, its sockets.

    `cpus` are the CPU numbers it is pinned to, `decoder_cpus` those of its `decoders` decoder
    threads; `core_mask` is None where the SoC takes none.
    `decode` is EXACT or FAST, see workers.images.preprocess.load; `output` is AUTO, SOFTMAX or
    NONE, see workers.tasks.classification.choose_scoring.
    `task` is CLASSIFY, DETECT or module:name, see workers.tasks; `task_options` are JSON.
    `inbox` and `sink` are ZeroMQ addresses; `run_dir` is the private folder of both.
    """

    index: int
    npu_core: int
    core_mask: int | None
    cpus: tuple[int, ...]
    runtime: str
    model: str
    input: InputHint
    decoder_cpus: tuple[int, ...]
    decoders: int
    decode: str
    max_pixels: int
    simulated: SimulatedSpec | None
    run_dir: str
    inbox: str
    sink: str
    output: str = AUTO
    task: str = CLASSIFY
    task_options: str = "{}"
