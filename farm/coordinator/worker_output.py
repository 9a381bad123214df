"""What a worker printed last, and what that tells of its end."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from workers.protocol import startup as steps

LAST_LINES: Final = 100
LINE_BYTES: Final = 1000
# How the NPU's C library begins a line about an error: "E RKNN: [12:34:56.789] failed to submit!"
LIBRARY_ERROR: Final = re.compile(r"E [A-Z]+: (?:\[[\d:.]+\] )?(.+)")
LIBRARY_LINES: Final = 3
# A stack as Python's faulthandler prints it: threads one by one, the main one last.
THREAD: Final = re.compile(r"(Current thread|Thread) 0x.*\(most recent call first\)")
# Of a path, what begins with our package, else the file and its folder.
FRAME: Final = re.compile(
    r'File "(?:.*/(?=workers/)|.*/(?=[^/"]+/[^/"]+"))?([^"]+)", line (\d+) in (\S+)'
)
DECODE_POOL: Final = "workers/images/decode_pool.py,"
ANSWERS: Final = "workers/answers.py,"
# Where the thread of the answers waits for more: its queue's lock.
QUEUE: Final = ("/queue.py,", "/threading.py,")


class WorkerOutput:
    """The last lines of a worker's output; `step` is what it was at.

    See workers.protocol.startup.
    """

    def __init__(self) -> None:
        self.step = "its start"
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._unfinished = b""

    def feed(self, data: bytes) -> None:
        """Take in the next output, in pieces of any size."""
        *lines, rest = (self._unfinished + data).split(b"\n")
        self._unfinished = rest[:LINE_BYTES]
        for line in lines:
            self._keep(line)

    def finish(self) -> None:
        """Take in that there is no more output."""
        self._keep(self._unfinished)
        self._unfinished = b""

    @property
    def last(self) -> str:
        """The last line; empty if there is none."""
        return self._lines[-1] if self._lines else ""

    def stack_location(self) -> str:
        """Return where the main thread was, if the worker printed its stack; else empty.

        If the task was in work, or if it was waiting for a decoder thread, return where that was.
        """
        stacks: list[list[str]] = []
        for line in self._lines:
            if THREAD.match(line):
                stacks.append([])
            elif stacks and (frame := FRAME.match(line)):
                stacks[-1].append(f"{frame[1]}, line {frame[2]}, {frame[3]}")
        place = stacks[-1][0] if stacks and stacks[-1] else ""
        for stack in stacks[:-1]:
            tasks = [at for at, frame in enumerate(stack) if frame.startswith(ANSWERS)]
            if tasks and tasks[0] > 0 and not any(each in stack[tasks[0] - 1] for each in QUEUE):
                return f"its task ({stack[0]})"
        if place.startswith(DECODE_POOL):
            # A decoder that has nothing to do waits in its pool, too.
            in_pool = (stack for stack in stacks[:-1] if stack and DECODE_POOL in "".join(stack))
            busy = (stack[0] for stack in in_pool if not stack[0].startswith(DECODE_POOL))
            return next((f"decoding ({at})" for at in busy), place)
        return place

    def explain(self, reason: str) -> str:
        """Return a reason with what the NPU's library last said, if that is not in it already."""
        found = [match[1] for match in map(LIBRARY_ERROR.match, self._lines) if match]
        library = "; ".join(dict.fromkeys(found[-LIBRARY_LINES:]))
        return f"{reason} (librknnrt: {library})" if library and library not in reason else reason

    def _keep(self, line: bytes) -> None:
        step = steps.split(line)
        text = line[:LINE_BYTES].decode("utf-8", "replace").strip()
        if step is not None and self.step != steps.WORK:
            self.step = step
        elif text and step is None:
            self._lines.append(text)
