"""Convert an ONNX model to an INT8 .rknn for one SoC, calibrated on images as workers make them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from farm.config.expected import expected
from farm.convert import calibration
from farm.convert.rknn_toolkit import Toolkit, Triple
from farm.errors import ConfigError, ConversionError, OutputError
from farm.hardware.model_file import no_model
from farm.hardware.platforms import SOCS
from farm.hardware.rknn_file import RKNN_SUFFIX, rknn_name
from farm.system.atomic_file import atomic_write
from workers.protocol.spec import NCHW, RGB, STRETCH, UINT8, InputSpec
from workers.runtimes.base import ONNX

ONE_FOR_ALL: Final = 1  # a single number stands for all three channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One ONNX model, the SoC it is for, and the images (a folder, glob or list) to calibrate on.

    The .rknn takes raw uint8 images, 1 x height x width x 3, and computes (value - mean) / std
    itself. `fit` and `color` are as in InputSpec. It is written to `output`, by default beside the
    model under the name by which a config finds it.
    """

    model: Path
    platform: str
    calibrate: str
    recursive: bool = False
    output: Path | None = None
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    fit: str = STRETCH
    color: str = RGB

    @classmethod
    def from_flags(cls, flags: Mapping[str, Any]) -> Conversion:
        """Return the conversion that the command line's flags describe; None is a flag left out.

        --mean and --std are `127.5`, `123.7,116.3,103.5` or `[123.7, 116.3, 103.5]`; raises
        ConfigError for other forms.
        """
        given = {flag: value for flag, value in flags.items() if value is not None}
        for flag in given.keys() & {"mean", "std"}:
            try:
                numbers = [float(part) for part in given[flag].strip("[] ").split(",")]
            except ValueError:
                numbers = []
            if len(numbers) == ONE_FOR_ALL:
                numbers *= 3
            valid = len(numbers) == 3 and all(map(math.isfinite, numbers))
            if not valid or (flag == "std" and min(numbers) <= 0):
                raise ConfigError(f"--{flag} {given[flag]!r}: use {expected(f'input.{flag}')}")
            given[flag] = tuple(numbers)
        return cls(**given)

    def model_platform(self) -> str:
        """Return the vendor's name for the SoC; raise ConfigError if the SoC is unknown."""
        if self.platform not in SOCS:
            raise ConfigError(
                f"--platform {self.platform}: unknown SoC; use one of {', '.join(SOCS)}"
            )
        return SOCS[self.platform].model_platform

    def target(self) -> Path:
        """Return the path of the .rknn; raise ConfigError or OutputError if it is invalid."""
        platform = self.model_platform()
        output = self.output or self.model.with_name(rknn_name(self.model, platform))
        if output.suffix != RKNN_SUFFIX:
            raise OutputError(f"--output {output}: the name must end in {RKNN_SUFFIX}")
        if output.exists() and not output.is_file():
            raise OutputError(f"--output {output}: it exists and is not a file")
        return output


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A .rknn file, its SoC, and how many images it was calibrated on."""

    path: Path
    platform: str
    images: int


def convert(job: Conversion, tell: Callable[[str], None]) -> Converted:
    """Convert a model; its file appears whole or not at all. `tell` is called with notices.

    Raises ConfigError, SourceError, OutputError, and ConversionError if the vendor's tool is not
    installed or refuses the model.
    """
    target = job.target()
    with atomic_write(target, "--output") as part, quantized(job, tell) as (toolkit, images):
        toolkit.export(part)
    return Converted(path=target, platform=job.model_platform(), images=images)


@contextmanager
def quantized(job: Conversion, tell: Callable[[str], None]) -> Iterator[tuple[Toolkit, int]]:
    """Open the vendor's tool with the quantized model in it; yields it and the number of images.

    Raises as `convert` does.
    """
    platform = job.model_platform()
    wrong = no_model(job.model, ONNX)
    if wrong is not None:
        raise ConversionError(f"{job.model}: {wrong}")
    with Toolkit(job.model) as toolkit:
        refs = calibration.select_images(job.calibrate, tell, recursive=job.recursive)
        image = toolkit.load(platform, job.mean, job.std)
        with tempfile.TemporaryDirectory(prefix="npu-convert-") as folder:
            spec = InputSpec(
                width=image.width,
                height=image.height,
                layout=NCHW,
                dtype=UINT8,
                fit=job.fit,
                color=job.color,
            )
            images = calibration.write_dataset(refs, Path(folder), spec, tell)
            toolkit.quantize(Path(folder) / calibration.DATASET)
        yield toolkit, images
