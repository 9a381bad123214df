"""What a check finds, and all findings as a report."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from farm.system.terminal import UNLIMITED, printable, wrapped
from workers.shell import shell_command

COMMAND_WITH_CONFIG: Final = re.compile(r"^(npu-farm \w+) CONFIG\b")
INDENT: Final = " " * 9  # below the status, the longest being "not here"


class Status(Enum):
    """From good to bad; the numbers from 0 are exit codes of `npu-farm doctor`.

    NOT_HERE is what only a board has, on a machine that is none.
    """

    NOT_HERE = -1
    OK = 0
    WARNING = 1
    FAILURE = 2

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `fix` is a shell command, empty if there is nothing to do."""

    check: str
    status: Status
    message: str
    fix: str = ""


def ok(check: str, message: str) -> Finding:
    """Return the finding of a check that passed."""
    return Finding(check, Status.OK, message)


def not_here(check: str, message: str) -> Finding:
    """Return the finding of what only a board has, and this machine need not have."""
    return Finding(check, Status.NOT_HERE, message)


def warning(check: str, message: str, fix: str) -> Finding:
    """Return the finding of a problem that may slow down or disturb the farm."""
    return Finding(check, Status.WARNING, message, fix)


def failure(check: str, message: str, fix: str) -> Finding:
    """Return the finding of a problem that keeps the farm from running."""
    return Finding(check, Status.FAILURE, message, fix)


def worst(findings: Iterable[Finding]) -> Status:
    """Return the worst status of all, and at least OK."""
    return max([Status.OK, *(f.status for f in findings)], key=lambda status: status.value)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, in the order in which they are printed."""

    findings: tuple[Finding, ...]

    @property
    def status(self) -> Status:
        """The worst status of all."""
        return worst(self.findings)

    def with_config_path(self, path: str) -> Report:
        """Return a report whose fixes name the config, so that they can be pasted."""
        quoted = shlex.quote(path)
        return Report(
            tuple(
                replace(f, fix=COMMAND_WITH_CONFIG.sub(lambda m: f"{m[1]} {quoted}", f.fix))
                for f in self.findings
            )
        )

    def to_text(self, columns: int = UNLIMITED) -> str:
        """Return a line for each finding, its fix below it, and a last line with the counts.

        Messages are wrapped at `columns`; a fix stays whole, so that it can be pasted.
        """
        width = max((len(f.check) for f in self.findings), default=0)
        lines = []
        for f in self.findings:
            said = f"{f.status.word:<8} {f.check:<{width}}  {printable(f.message)}"
            lines += wrapped([said], columns, indent=len(INDENT) + width + 2)
            if f.fix:
                lines.append(f"{INDENT}fix: {printable(shell_command(f.fix))}")
        bad = []
        for status in (Status.FAILURE, Status.WARNING):
            count = sum(f.status is status for f in self.findings)
            if count:
                bad.append(f"{count} {status.word}{'s' if count > 1 else ''}")
        return "\n".join([*lines, ", ".join(bad) or "no problems found"])

    def to_json(self, *, command: str, config: Mapping[str, Any] | None) -> str:
        """Return the worst status and all findings as JSON; `fix` is null if none is needed.

        So are the command and the values of the config that were examined.
        """
        rows = [
            {
                "check": f.check,
                "status": f.status.word,
                "message": f.message,
                "fix": shell_command(f.fix) or None,
            }
            for f in self.findings
        ]
        asked = {"command": command, "config": config}
        return json.dumps({"overall": self.status.word, "checks": rows, **asked}, indent=2)
