"""The renders of our own that stand in where nobody names images, kept in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from farm.config.schema import FarmConfig
from farm.errors import (
    OutputError,
)
from farm.sources.renders import write_renders
from farm.system.terminal import say

RENDERS: Final = 200
SEED: Final = 7  # not 1, which the model was trained on, nor 2024, which it was measured on


def default_samples(tell: Callable[[str], None]) -> Path:
    """The folder with 200 renders of our own in the user's cache, made now if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "npu-farm" / f"renders-{SEED}"
    if not folder.is_dir() or len(list(folder.iterdir())) < RENDERS:
        tell(f"rendering {RENDERS} images into {folder}")
        render(folder)
    return folder


def render(folder: Path, *, count: int = RENDERS, seed: int = SEED) -> int:
    """Render images of our own into `folder`, gives how many; OutputError if that can't be."""
    try:
        return len(write_renders(folder, count=count, seed=seed))
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror}") from error


def targets(config: FarmConfig, given: tuple[str, ...]) -> tuple[str, ...]:
    """What to classify: what the command line names, else the config, else renders of our own."""
    if given:
        return given
    if config.images is not None:
        return (config.images,)
    folder = default_samples(say)
    say(f"no images given: using renders of our own in {folder}")
    return (str(folder),)
