"""What a run's answers are judged by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from farm.config.labels import Labels
from farm.config.schema import FOLDER
from farm.errors import ConfigError
from farm.results.truth import Truth, by_folder, by_pattern, folder_of
from farm.sources.files import sample
from farm.system.stdio import STDIN
from workers.protocol.messages import FileRef

LOOKED_AT: Final = 1000  # images, evenly spread
SHOWN: Final = 3


def truth_of(
    said: str | None, labels_file: Path | None, targets: tuple[str, ...], *, recursive: bool
) -> Truth | None:
    """Return the truth that `said`, a config's `truth`, asks for; None if it asks for none.

    Raises ConfigError if it is the images' folders, and there are no labels, or no folder of these
    images is named after one.
    """
    if said != FOLDER:
        return None if said is None else by_pattern(said)
    if labels_file is None:
        raise ConfigError("truth: folder: there are no labels; add --labels FILE")
    labels = Labels.load(labels_file)
    truth = by_folder(labels.names, labels.wordnet_numbers())
    if STDIN not in targets:
        refs, _ = sample(targets, LOOKED_AT, recursive=recursive)
        paths = [os.fsdecode(ref.path) for ref in refs if isinstance(ref, FileRef)]
        if not any(map(truth, paths)):
            folders = sorted({folder_of(path) or "none" for path in paths})
            raise ConfigError(
                f"truth: folder: no folder ({shown(folders)}) is named after a label "
                f"({shown(labels.names)}) of {labels.path}"
            )
    return truth


def shown(names: list[str] | tuple[str, ...]) -> str:
    """Return the first few names."""
    return ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])
