"""The configs that come with the program, known by name in every folder."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from farm.config.editor import read_values, set_schema, set_values
from farm.config.loader import PATH_KEYS, SUFFIXES
from farm.errors import ConfigError, OutputError
from farm.hardware.platforms import HOST, SOCS, detect
from farm.hardware.rknn_file import ONNX_SUFFIX, RKNN_SUFFIX
from workers.protocol.spec import DETECT

FOLDER: Final = Path(__file__).parents[1] / "bundled" / "configs"
SCHEMA_FILE: Final = FOLDER / "schema.json"
NAMES: Final = (HOST, *SOCS, DETECT)


def default_name() -> str:
    """Return the name of this machine's config: its SoC, or `host`."""
    return detect().soc or HOST


def find_config(named: str | os.PathLike[str]) -> Path:
    """Return the file of a config that is named as one of NAMES, or by its path.

    A name wins over a file of that name, which is ./NAME. Raises ConfigError for a model, a folder,
    and what does not exist.
    """
    word = os.fspath(named)
    if word in NAMES:
        return FOLDER / f"{word}.yaml"
    path = Path(word)
    if path.suffix in (ONNX_SUFFIX, RKNN_SUFFIX):
        raise ConfigError(f"{word}: a model, not a config; name it with -m {word}")
    if path.is_dir():
        raise ConfigError(f"{word}: a folder, not a config")
    if not os.path.lexists(path):
        here = {each.name: f"{each}" for each in path.parent.glob("*.y*ml")}
        near = get_close_matches(path.name, here, n=1, cutoff=0.75)
        near = near or get_close_matches(path.stem.lower(), NAMES, n=1, cutoff=0.75)
        meant = f"; did you mean {here.get(near[0], near[0])}?" if near else ""
        raise ConfigError(
            f"{word}: no such file or folder, and no bundled config of that name{meant}\n"
            f"bundled configs: {', '.join(NAMES)}"
        )
    return path


def copy_config(name: str, target: Path) -> None:
    """Write a bundled config to a new file, where its paths lead to the same files.

    Raises ConfigError for a name that is not one of NAMES, OutputError for a file that exists or
    has another suffix than a config's.
    """
    if name not in NAMES:
        raise ConfigError(f"{name}: no bundled config of that name; use {', '.join(NAMES)}")
    if target.suffix not in SUFFIXES:  # a run would take it for an image, a list or a name
        raise OutputError(f"-o {target}: a config's name ends in {' or '.join(SUFFIXES)}")
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    paths = {
        key: os.path.normpath(FOLDER / value)
        for key, value in read_values(text).items()
        if key in PATH_KEYS
    }
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(set_schema(set_values(text, paths), lambda path: (FOLDER / path).as_uri()))
    except FileExistsError as error:
        raise OutputError(
            f"{target}: exists already, and is not replaced; -o OTHER.yaml writes another"
        ) from error
