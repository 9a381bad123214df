"""What a worker is at while it starts, told on its standard error.

A write to that pipe is done before the next call begins: the coordinator knows the last step
even of a worker that this call killed, or in which it hangs.
"""

from __future__ import annotations

import os
from typing import Final

MARK: Final = b"npu-farm step: "
SELF_TEST: Final = "the self-test"
REPORT: Final = "saying that it is ready"
WORK: Final = "work"  # the start is over: not told, for Ready has been heard
TESTED: Final = frozenset({SELF_TEST, REPORT})  # within the time for the self-test
STDERR: Final = 2


def begin(step: str) -> None:
    """Tell that the worker now begins `step`, one line of text."""
    # Libraries print there, too, and not always whole lines: hence the line's end before it.
    os.write(STDERR, b"\n" + MARK + step.encode("utf-8", "backslashreplace") + b"\n")


def split(line: bytes) -> str | None:
    """Give the step that a line of a worker's output tells of, None for any other line."""
    if not line.startswith(MARK):
        return None
    return line.removeprefix(MARK).decode("utf-8", "replace").strip()
