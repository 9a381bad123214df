"""Makes one worker misbehave at one of its steps, as the file $FAULT tells when it starts.

Python imports this before anything else where its folder is on PYTHONPATH: in what the workers of
a few tests are forked from. The file has one JSON object.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported late: a fault may be meant to strike at that
    from workers.protocol.messages import Done

EXIT_CODE = 7
NO_FORKS = "no-forks"


def misbehave(how: str, error: type[Exception], hangs: Path) -> None:
    """Do what `how` says; returns only if that is nothing. Who hangs makes the file `hangs`."""
    match how:
        case "raise":
            raise error("made to fail")
        case "exit":
            os._exit(EXIT_CODE)
        case "SIGSEGV" | "SIGKILL":
            os.kill(os.getpid(), signal.Signals[how])
        case "hang":
            hangs.touch()
            time.sleep(3600)
        case "hang with the GIL":
            hangs.touch()
            ctypes.PyDLL(None).pause()
        case "leave a child":  # as a library does that starts a daemon: with all that is open
            child = subprocess.Popen(
                ["/bin/sleep", "3600"], close_fds=False, start_new_session=True
            )
            hangs.with_suffix(".child").write_text(f"{child.pid}")
            os.kill(os.getpid(), signal.SIGKILL)


class Fault:
    """A fault of this process: from the call after `after` others on, or only then if `once`."""

    def __init__(self, file: Path, *, how: str, after: int, once: bool) -> None:
        self._file, self._how, self._left, self._once = file, how, after, once

    def strike(self, error: type[Exception] = Exception) -> None:
        """Count a call, and misbehave if it is its turn."""
        self._left -= 1
        if self._left >= 0 or (self._once and self._left < -1):
            return
        if self._once:  # before the deed: the next process finds nothing
            self._file.unlink()
        misbehave(self._how, error, self._file.with_suffix(".hangs"))

    def before(self, owner: Any, name: str) -> None:
        """Strike at each call of a method."""
        method: Callable[..., Any] = getattr(owner, name)

        def struck(*args: Any, **kwargs: Any) -> Any:
            self.strike()
            return method(*args, **kwargs)

        setattr(owner, name, struck)

    def spoil_answers(self) -> None:
        """Send something else for each answer, as `how` says."""
        from workers.protocol.messages import Done, Message
        from workers.protocol.sockets import Outbox

        send = Outbox.send
        if self._once:
            self._file.unlink()

        def spoilt(outbox: Outbox, message: Message) -> None:
            messages = self._instead(message) if isinstance(message, Done) else [message]
            for each in messages:
                send(outbox, each)

        Outbox.send = spoilt  # type: ignore[assignment, method-assign]

    def _instead(self, done: Done) -> list[Done]:
        from msgspec.structs import replace

        match self._how:
            case "twice":
                return [done, done]
            case "another batch's":
                return [replace(done, batch=done.batch + 1), done]
            case "other items":
                strange = [replace(outcome, item=outcome.item + 1) for outcome in done.outcomes]
                return [replace(done, outcomes=tuple(strange))]
            case "an item too few":
                return [replace(done, outcomes=done.outcomes[1:])]
            case "those of an earlier life":
                return [*self._of_an_earlier_life(done), done]
        raise ValueError(self._how)

    def _of_an_earlier_life(self, done: Done) -> list[Done]:
        from workers.protocol import messages as wire

        kept = self._file.with_name(f"{done.generation}-{done.batch}.kept")
        kept.write_bytes(wire.encode(done))
        before = self._file.parent.glob(f"{done.generation - 1}-*.kept")
        messages = [wire.decode(file.read_bytes()) for file in before]
        return [message for message in messages if isinstance(message, wire.Done)]

    def find_spec(self, name: str, *_: object) -> None:
        """Strike at the import of the vendor's package: as a finder that finds nothing."""
        if name == "rknnlite.api":
            self.strike(ImportError)


def install(at: str, fault: Fault) -> None:
    """Have `fault` strike at one of a worker's steps."""
    if at == "import":
        sys.meta_path.insert(0, fault)
    elif at == "answer":
        fault.spoil_answers()
    elif at == "reply":
        from workers.protocol.sockets import Outbox

        fault.before(Outbox, "send")
    elif at == "decode":
        from workers.images import preprocess

        fault.before(preprocess, "load")
    else:
        from rknnlite.api import RKNNLite, Runtime

        fault.before(*{"load": (RKNNLite, "load_rknn"), "infer": (Runtime, "run")}[at])


def main() -> None:
    """Read what is to happen to this process, a worker just forked, if anything."""
    name = sys.argv[1]
    file = Path(os.environ["FAULTS"], name)
    if file.exists():
        told = json.loads(file.read_text(encoding="ascii"))
        install(told.pop("at"), Fault(file, **told))


def refuse(_event: str, _arguments: object) -> None:
    """Let the system refuse forks while the file $FAULTS/no-forks is there."""
    if _event == "os.fork" and Path(os.environ["FAULTS"], NO_FORKS).exists():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


os.register_at_fork(after_in_child=main)
sys.addaudithook(refuse)
