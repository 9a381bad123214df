"""The words of a command line that are no flags: a config, images, or both."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farm.cli.options import FIRST_CONFIG
from farm.config.bundled import NAMES, default_name, find_config
from farm.config.loader import Settings, read
from farm.config.schema import PLATFORMS, FarmConfig
from farm.sources.files import LIST_SUFFIXES
from farm.sources.folder import IMAGE_SUFFIXES
from farm.system.log import LOG
from farm.system.stdio import STDIN
from workers.protocol.spec import CLASSIFY, DETECT


def split(words: tuple[str, ...], said: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the config that the first word names, and the images that the others do.

    If the first word is images, all are, and the config is the one of `default_config`.
    """
    if not words or _names_images(words[0]):
        return default_config(said), words
    return words[0], words[1:]


def default_config(said: Mapping[str, Any]) -> str:
    """Return, and log, the bundled config of --platform in `said`, else of this machine.

    For --task detect it is the bundled detector's, which is for all of them.
    """
    platform = said.get("platform")
    name = platform if platform in PLATFORMS else default_name()
    if said.get("task") == DETECT and said.get("model") is None:
        name = DETECT
    unused = (
        f"; {FIRST_CONFIG}, which lies here, must be named" if Path(FIRST_CONFIG).exists() else ""
    )
    LOG.info(f"no config named: using the bundled one, {name}{unused}")
    return name


def load_config(config: str, said: Mapping[str, Any]) -> FarmConfig:
    """Load a config by its name or path; flags and --set in `said` override it.

    With another model or task, a bundled config says nothing of labels and truth, with another task
    nothing of its options: it has those of the bundled one. If its task is to be detect, and no
    model is named, it is the bundled detector's.
    """
    return read_config(config, said).check()


def read_config(config: str, said: Mapping[str, Any]) -> Settings:
    """Read the same, and check no values."""
    settings = said.get("settings", {})
    flags = {key: value for key, value in said.items() if value is not None and key != "settings"}
    if config in PLATFORMS and flags.get("task") == DETECT and "model" not in {**flags, **settings}:
        config, flags = DETECT, {"platform": config, **flags}
    task = DETECT if config == DETECT else CLASSIFY
    asked = {"task": task, **flags, **settings}
    other = [key for key, own in (("model", None), ("task", task)) if asked.get(key) != own]
    bare: dict[str, Any] = {}
    if config in NAMES and other:
        bare = {"labels": None, "truth": None}
    if config in NAMES and "task" in other:
        bare["task_options"] = {}

    def origin(key: str) -> str:
        return f"--set {key}" if key in settings else f"--{key if key in flags else other[0]}"

    return read(find_config(config), {**bare, **flags, **settings}, origin)


def _names_images(word: str) -> bool:
    if word in NAMES:
        return False
    suffixes = (*IMAGE_SUFFIXES, *LIST_SUFFIXES)
    pattern = glob.has_magic(word) and not os.path.lexists(word)
    return word == STDIN or os.path.isdir(word) or pattern or Path(word).suffix.lower() in suffixes
