"""What strikes a farm: signals to its processes, no time, no starts, processes that never end."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Protocol

from tests.chaos.chance import Chance
from tests.chaos.crew import Crew
from tests.helpers.freezer import Freezer

KILLS: Final = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)
STOPS: Final = 0.4  # of the strikes at workers
GO_ON: Final = 0.5  # of the stopped workers go on later, and answer late; the others never do
FEW_FILES: Final = 3  # standard input, output and error alone
# Stops and continues its parent, for so many seconds as each line says.
NAPS: Final = 'while read -r s; do kill -STOP $PPID; sleep "$s"; kill -CONT $PPID; echo; done'


class Fault(Protocol):
    """One way to strike."""

    def strike(self) -> str:
        """Strike, and say how; empty if there was nobody to strike."""

    def settle(self, now: float) -> None:
        """End what was to last until `now` (monotonic seconds)."""


class Stops:
    """Processes that SIGSTOP has stopped, and when each goes on."""

    def __init__(self) -> None:
        self._until: dict[int, float | None] = {}

    def __contains__(self, pid: int) -> bool:
        return pid in self._until

    def stop(self, pid: int, seconds: float | None) -> str:
        """Stop a process for so long, None for as long as it lives."""
        self._until[pid] = None if seconds is None else time.monotonic() + seconds
        return send(pid, signal.SIGSTOP)

    def settle(self, now: float, alive: list[int]) -> None:
        """Let those go on whose time has come, and forget who is dead."""
        self._until = {pid: until for pid, until in self._until.items() if pid in alive}
        for pid, until in list(self._until.items()):
            if until is not None and until <= now:
                del self._until[pid]
                send(pid, signal.SIGCONT)


class Workers:
    """Kills and stops workers."""

    def __init__(self, crew: Crew, chance: Chance) -> None:
        self._crew, self._chance, self._stopped = crew, chance, Stops()

    def strike(self) -> str:
        """Strike one that is not stopped already."""
        victims = [pid for pid in self._crew.workers() if pid not in self._stopped]
        if not victims:
            return ""
        victim, how = self._chance.choice(victims), self._chance.choice(KILLS)
        if self._chance.random() >= STOPS:
            return send(victim, how)
        goes_on = self._chance.random() < GO_ON
        return self._stopped.stop(victim, self._chance.a_while() if goes_on else None)

    def settle(self, now: float) -> None:
        """Let those go on whose time has come."""
        self._stopped.settle(now, self._crew.workers())


class Server:
    """Kills and stops the fork server."""

    def __init__(self, crew: Crew, chance: Chance) -> None:
        self._crew, self._chance, self._stopped = crew, chance, Stops()
        self._kill = False

    def strike(self) -> str:
        """Stop it, the next time kill it."""
        server = self._crew.server()
        if server is None:
            return ""
        self._kill = not self._kill
        if self._kill:
            how = send(server, self._chance.choice(KILLS))
        else:
            how = self._stopped.stop(server, self._chance.a_while())
        return how and f"{how} of the fork server"

    def settle(self, now: float) -> None:
        """Let it go on if its time has come."""
        self._stopped.settle(now, [each.pid for each in self._crew.everyone()])


class Naps:
    """Stops the coordinator itself, this process: another one continues it."""

    def __init__(self, helper: subprocess.Popen[str], chance: Chance) -> None:
        self._helper, self._chance = helper, chance

    def strike(self) -> str:
        """Stop this process; returns when it goes on."""
        helper = self._helper
        assert helper.stdin is not None
        assert helper.stdout is not None
        helper.stdin.write(f"{self._chance.a_while():.2f}\n")
        helper.stdin.flush()
        helper.stdout.readline()
        return "SIGSTOP of the coordinator"

    def settle(self, now: float) -> None:
        """Nothing lasts."""


@contextmanager
def naps(chance: Chance) -> Iterator[Naps]:
    """Start the other process."""
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/sh", "-c", NAPS], stdin=pipe, stdout=pipe, text=True) as helper:
        yield Naps(helper, chance)


class Limit(Protocol):
    """Something that a process can't be started without."""

    def forbid(self) -> None:
        """Let there be no more of it."""

    def allow(self) -> None:
        """Let there be enough again."""


class Descriptors:
    """The files that the fork server may open, with those of the workers it forks meanwhile.

    Not the coordinator's: ZeroMQ ends a process that can't accept a worker's connection.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def forbid(self) -> None:
        """Let it open no more."""
        self._set(FEW_FILES)

    def allow(self) -> None:
        """Let it open as many as this process may."""
        self._set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    def _set(self, files: int) -> None:
        server = self._crew.server()
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if server is not None:
            with suppress(ProcessLookupError):
                resource.prlimit(server, resource.RLIMIT_NOFILE, (files, most))


class Starts:
    """Kills a worker, at times the fork server too, and lets none be started for a while."""

    def __init__(self, name: str, limit: Limit, crew: Crew, chance: Chance) -> None:
        self._name, self._limit, self._crew, self._chance = name, limit, crew, chance
        self._until = math.inf

    def strike(self) -> str:
        """Strike, unless it is so already."""
        workers, server = self._crew.workers(), self._crew.server()
        if not workers or server is None or self._until < math.inf:
            return ""
        self._until = time.monotonic() + self._chance.a_while()
        self._limit.forbid()
        for victim in (self._chance.choice(workers), self._chance.choice([server, *workers])):
            send(victim, signal.SIGKILL)
        return self._name

    def settle(self, now: float) -> None:
        """Let workers be started if the time has come."""
        if now >= self._until:
            self._until = math.inf
            self._limit.allow()


class Freezers:
    """Freezes processes so that SIGKILL does not end them, for as long as the run lasts."""

    def __init__(self, crew: Crew, chance: Chance, freezers: list[Freezer]) -> None:
        self._crew, self._chance, self._empty = crew, chance, freezers
        self._server = False

    def strike(self) -> str:
        """Freeze a worker, the next time the fork server."""
        workers, server = self._crew.workers(), self._crew.server()
        if not workers or server is None:
            return ""
        what, victim = "worker", self._chance.choice(workers)
        if self._server:
            what, victim = "fork server", server
        try:
            self._empty[-1].add(victim)
        except ProcessLookupError:  # it has just been replaced
            return ""
        self._empty.pop().freeze(wait=False)  # some may wait for a late image
        self._server = not self._server
        return f"{what} frozen for ever"

    def settle(self, now: float) -> None:
        """They stay."""


def send(pid: int, number: signal.Signals) -> str:
    """Send a signal and return its name; empty if the process has just gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return number.name
    return ""
