"""What a config may say of the task: its name, its options."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from workers.errors import RuntimeFailure
from workers.protocol.spec import CLASSIFY, DETECT
from workers.tasks import detect_options

TASKS: Final = (CLASSIFY, DETECT)
OWN_TASK: Final = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*"  # package.module:name
PATTERN: Final = f"^({'|'.join(TASKS)}|{OWN_TASK})$"


def check_name(name: str) -> None:
    """Raise ValueError for a name that is neither one of TASKS nor module:name."""
    module = re.sub(r"\.py(?=:)", "", name)  # is named, not its file
    if module == name and (name in TASKS or re.fullmatch(OWN_TASK, name)):
        return
    near = [module] if module != name else get_close_matches(name, TASKS, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"use {', '.join(TASKS)}, or package.module:name for your own{meant}")


def check_options(task: str, options: Mapping[str, Any]) -> None:
    """Raise ValueError for options that a task has not, or that can't travel to workers."""
    if task == CLASSIFY and options:
        raise ValueError(f"{CLASSIFY} has no options; which task are they of?")
    try:
        check_plain("", options)
        if task == DETECT:
            detect_options.parse(options)
    except (RuntimeFailure, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def check_plain(where: str, value: object) -> None:
    """Raise ValueError for what JSON, as which options travel, does not give back as it was."""
    match value:
        case dict():
            for key, each in value.items():
                if not isinstance(key, str):
                    raise ValueError(f"{where}{key!r}: put this key in quotes: they are texts here")
                check_plain(f"{where}{key}: ", each)
        case list() | tuple():
            for each in value:
                check_plain(where, each)
        case float() if not math.isfinite(value):
            raise ValueError(f"{where}{value} is not finite")
        case None | bool() | int() | float() | str():
            pass
        case _:
            kind = type(value).__name__
            raise ValueError(f"{where}a {kind}; use text, numbers, true, false, null, lists, maps")
