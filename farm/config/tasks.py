"""What a config may say of the task: its name, its options."""

from __future__ import annotations

import json
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
    if name in TASKS or re.fullmatch(OWN_TASK, name):
        return
    near = get_close_matches(name, TASKS, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"use {', '.join(TASKS)}, or package.module:name for your own{meant}")


def check_options(task: str, options: Mapping[str, Any]) -> None:
    """Raise ValueError for options that a task has not, or that can't travel to workers."""
    if task == CLASSIFY and options:
        raise ValueError(f"{CLASSIFY} has no options; which task are they of?")
    try:
        json.dumps(options, allow_nan=False)
        if task == DETECT:
            detect_options.parse(options)
    except (RuntimeFailure, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
