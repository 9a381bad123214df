"""What was run or measured, as plain data: a run tells it, too, and loads no more of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was measured, so that others can measure the same.

    `model` is the model's file, empty for the simulated NPU, which needs none, or its name at a
    hub; `model_sha256` has that of each of its files, joined by "+"; `model_bytes` is 0 where its
    size is not known. `images` are as they were named. `config_name` is the
    config as it was named, `config` the values of all its keys but model, images and size. `task`
    is what the model is used for, empty if it classifies.
    """

    model: str
    model_sha256: str
    model_bytes: int
    images: tuple[str, ...]
    config: dict[str, Any]
    command: str
    config_name: str = ""  # as in files that are older than the name
    task: str = ""
