"""What a check finds, and how bad the worst of many findings is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """From well to worst; the numbers are exit codes of `npu-farm doctor`."""

    OK = 0
    WARNING = 1
    FAILURE = 2

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `fix` is a shell command, empty where all is well."""

    check: str
    status: Status
    message: str
    fix: str = ""


def ok(check: str, message: str) -> Finding:
    """A check that found all well."""
    return Finding(check, Status.OK, message)


def warning(check: str, message: str, fix: str) -> Finding:
    """A check that found what may give trouble."""
    return Finding(check, Status.WARNING, message, fix)


def failure(check: str, message: str, fix: str) -> Finding:
    """A check that found what keeps the farm from running as it should."""
    return Finding(check, Status.FAILURE, message, fix)


def worst(findings: Iterable[Finding]) -> Status:
    """The worst status of all; OK if there are none."""
    return max((f.status for f in findings), key=lambda status: status.value, default=Status.OK)
