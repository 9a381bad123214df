"""What is wrong with a config's values, in its user's words."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ValidationError

from farm.config.schema import MOST_RUNTIMES, FarmConfig, InputConfig, SimulatedConfig

FORMS: Final = {  # where pydantic would speak of its own types, or of one of two forms only
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
BRANCH: Final = r"\[|^constrained-"  # how pydantic names the branches of a union
SECTIONS: Final = ("input", "simulated")


def in_words(error: ValidationError) -> tuple[str, str]:
    """Give the key of the worst mistake, and a line or two about it."""
    # A misspelt key first: it explains the one that is missing.
    mistakes = sorted(error.errors(), key=lambda mistake: mistake["type"] != "extra_forbidden")
    first = mistakes[0]
    unknown = first["type"] == "extra_forbidden"
    # The place names union branches ('tuple[...]', 'constrained-float') after the key; skip those.
    # An unknown key stands at no branch, and may look like one.
    place = [str(part) for part in first["loc"] if unknown or not re.search(BRANCH, str(part))]
    key = ".".join(place)
    more = len({mistake["loc"][:1] for mistake in mistakes}) - 1
    rest = f"\n({more} more like this)" if more else ""
    if unknown:
        return key, f"{key}: not a known key; known are {', '.join(_known_keys(place))}{rest}"
    reason = first["msg"].removeprefix("Value error, ")
    if not place:  # a rule of ours about several keys; it names the first itself
        return reason.partition(":")[0], f"{reason}{rest}"
    if key in SECTIONS:
        return key, f"{key}: {first['input']!r:.60}: write its keys below it, or as {key}.KEY{rest}"
    form = next((form for name, form in FORMS.items() if f"{key}.".startswith(f"{name}.")), None)
    if first["type"] == "missing" and form is None:
        return key, f"{key}: missing{rest}"
    return key, f"{key}: {first['input']!r:.60}: {form or reason}{rest}"


def _known_keys(place: list[str]) -> list[str]:
    inner: dict[str, type[BaseModel]] = {"input": InputConfig, "simulated": SimulatedConfig}
    model = inner.get(place[0], FarmConfig) if len(place) > 1 else FarmConfig
    return sorted(model.model_fields)
