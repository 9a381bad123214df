"""The bundled sample images, for when no images are named; rendered into the user's cache."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from farm.config.schema import FarmConfig
from farm.system.log import LOG
from workers.protocol.spec import DETECT

COUNT: Final = 200
SCENES: Final = 100  # of several characters, for detectors
SEED: Final = 7  # not 1, which the models were trained on, nor 2024, which they were measured on
# As write_renders and write_scenes name them.
SAMPLE_NAME: Final = re.compile(r"(glyph-\d+-\d+_[0-9A-Z]|scene-\d+-\d+)\.jpg$")


def write_samples(
    folder: Path, *, scenes: bool, count: int | None = None, seed: int | None = None
) -> list[Path]:
    """Render sample images into a folder and return their paths; by default, the bundled ones.

    Raises OutputError if one can't be written.
    """
    # Here, for these import OpenCV, which a coordinator does not need otherwise.
    from farm.sources.renders import write_renders
    from farm.sources.scenes import write_scenes

    write, usual = (write_scenes, SCENES) if scenes else (write_renders, COUNT)
    return write(folder, count=count or usual, seed=SEED if seed is None else seed)


def default_samples(*, scenes: bool) -> Path:
    """Return the folder of the sample images in the user's cache; render them if it lacks any.

    Raises OutputError if it can't be written.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kind, count = ("scenes", SCENES) if scenes else ("renders", COUNT)
    folder = cache / "npu-farm" / f"{kind}-{SEED}"
    if len(list(folder.glob("*.jpg"))) < count:
        LOG.info(f"rendering {count} sample images into {folder}")
        write_samples(folder, scenes=scenes)
        # A run would say that it passes over the file with what is on scenes.
        (folder / "scenes.json").unlink(missing_ok=True)
    return folder


def choose_targets(config: FarmConfig, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the images: what the command line names, else the config, else the samples."""
    if named:
        return named
    return sample_targets(config.task) if config.images is None else (config.images,)


def sample_targets(task: str) -> tuple[str, ...]:
    """Return the bundled samples as the images for a task, and log that they are."""
    folder = default_samples(scenes=task == DETECT)
    LOG.info(f"no images named: using the bundled sample images in {folder}")
    return (str(folder),)
