"""The bundled sample images, for when no images are named; rendered into the user's cache."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from farm.config.schema import FarmConfig
from farm.system.log import LOG

COUNT: Final = 200
SEED: Final = 7  # not 1, which the model was trained on, nor 2024, which it was measured on
SAMPLE_NAME: Final = re.compile(r"glyph-\d+-\d+_[0-9A-Z]\.jpg$")  # as write_renders names them


def default_samples() -> Path:
    """Return the folder of the sample images in the user's cache; render them if it lacks any.

    Raises OutputError if it can't be written.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "npu-farm" / f"renders-{SEED}"
    if not folder.is_dir() or len(list(folder.iterdir())) < COUNT:
        # Here, for it imports OpenCV, which a coordinator does not need otherwise.
        from farm.sources.renders import write_renders

        LOG.info(f"rendering {COUNT} sample images into {folder}")
        write_renders(folder, count=COUNT, seed=SEED)
    return folder


def choose_targets(config: FarmConfig, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to classify: what the command line names, else the config, else the samples."""
    if named:
        return named
    if config.images is not None:
        return (config.images,)
    folder = default_samples()
    LOG.info(f"no images named: using the bundled sample images in {folder}")
    return (str(folder),)
