"""Pydantic's errors about a config as messages for its user."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ValidationError

from farm.config.schema import MOST_RUNTIMES, FarmConfig, InputConfig, SimulatedConfig

EXPECTED: Final = {  # where pydantic would name its own types, or only one of two forms
    "size": f"use auto, or a number from 1 to {MOST_RUNTIMES}",
    "cpu": "use fast, slow, all, or a list of CPUs like [4, 5] or 4-7",
    "decoders": "use auto, or a number from 1 to 64",
    "decoder_cpu": "use same, fast, slow, all, or a list of CPUs like [0, 1] or 0-3",
    "npu_cores": "use all, or a list of cores like [0, 1]",
    "input.mean": "use three numbers, like [127.5, 127.5, 127.5]",
    "input.std": "use three numbers above 0, like [127.5, 127.5, 127.5]",
    "model": "use the path of a model file",
    "batch_seconds": "use auto, or seconds above 0",
    "labels": "use the path of a file with one label a line",
    "images": "use a folder, a file, a glob or a .txt list",
}
SECTIONS: Final[dict[str, type[BaseModel]]] = {"input": InputConfig, "simulated": SimulatedConfig}
BRANCH: Final = r"\[|^constrained-"  # how pydantic names the branches of a union
UNKNOWN: Final = "extra_forbidden"  # pydantic's type of error for an unknown key


def describe(error: ValidationError) -> tuple[str, str]:
    """Return the key of the first error, and one or two lines about it.

    An unknown key comes first: misspelt, it explains why another is missing.
    """
    errors = sorted(error.errors(), key=lambda each: each["type"] != UNKNOWN)
    first = errors[0]
    unknown = first["type"] == UNKNOWN
    # The place names union branches ('tuple[...]', 'constrained-float') after the key; skip those.
    # An unknown key has no branch, and may look like one.
    place = [str(part) for part in first["loc"] if unknown or not re.search(BRANCH, str(part))]
    key = ".".join(place)
    reason = first["msg"].removeprefix("Value error, ")
    value = shown(first["input"])
    expected = next((EXPECTED[name] for name in EXPECTED if f"{key}.".startswith(f"{name}.")), None)
    if unknown:
        section = SECTIONS[place[0]] if len(place) > 1 else FarmConfig
        message = f"{key}: unknown key; known keys: {', '.join(sorted(section.model_fields))}"
    elif not place:  # a rule about several keys, see FarmConfig; its message names the first
        key, message = reason.partition(":")[0], reason
    elif key in SECTIONS:
        message = f"{key}: {value}: write its keys indented below it, or set {key}.KEY"
    elif first["type"] == "missing" and expected is None:
        message = f"{key}: missing; add it to the config"
    else:
        message = f"{key}: {value}: {expected or reason}"
    more = len({each["loc"][:1] for each in errors}) - 1
    counted = f"\n({more} more invalid {'key' if more == 1 else 'keys'})" if more else ""
    return key, f"{message}{counted}"


def shown(value: object) -> str:
    """Return the beginning of a value as Python writes it."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
