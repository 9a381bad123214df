"""Images to the tensors that a model is calibrated on, exactly as the workers make them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from farm.errors import SourceError
from farm.sources.base import Ref
from farm.sources.files import sample
from farm.system.stdio import STDIN
from workers.errors import ImageError
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import InputSpec

MOST_IMAGES: Final = 200  # ranges settle within tens of images; more only cost time
DATASET: Final = "dataset.txt"


def select_images(
    target: str, tell: Callable[[str], None], *, recursive: bool = False
) -> list[Ref]:
    """Return the images of a folder, glob or list to calibrate on, MOST_IMAGES at most.

    Of more, some are used, evenly spread, and `tell` is called with a line. Raises SourceError
    where there are none.
    """
    if target == STDIN:
        raise SourceError("calibration images can't come from standard input: name a folder")
    refs, count = sample((target,), MOST_IMAGES, recursive=recursive)
    if not refs:
        raise SourceError(f"{target}: no images to calibrate on")
    if count > len(refs):
        tell(f"calibrating on {len(refs)} of {count} images, evenly spread")
    return refs


def write_dataset(
    refs: list[Ref], folder: Path, spec: InputSpec, tell: Callable[[str], None]
) -> int:
    """Write images into `folder` as .npy files, list them in DATASET, and return their number.

    Each is the tensor that `spec` says. Images that can't be decoded are left out, and `tell` is
    called with a line. Raises SourceError if that is all of them.
    """
    names, failed = [], []
    for number, ref in enumerate(refs):
        try:
            tensor, _ = image.load(ref, spec)
        except ImageError as error:
            path = os.fsdecode(ref.path) if isinstance(ref, FileRef) else "an image"
            failed.append(f"{path}: {error.kind}: {error}")
            continue
        names.append(f"{number}.npy")
        np.save(folder / names[-1], tensor)
    if failed:
        message = f"{len(failed)} of {len(refs)} calibration images can't be used: {failed[0]}"
        message += ", ..." if len(failed) > 1 else ""
        if not names:
            raise SourceError(message)
        tell(message)
    # Relative names: the tool would read a path with a blank in it as two inputs.
    (folder / DATASET).write_text("\n".join(names) + "\n", encoding="ascii")
    return len(names)
