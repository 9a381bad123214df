"""Where a benchmark's report goes: files by flag, or standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from farm.errors import OutputError
from farm.report import export, markdown
from farm.report.data import Report
from farm.report.html import page
from farm.system.atomic_file import atomic_write
from farm.system.log import tell_written

STDOUT: Final = "-"
FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "--json": export.as_json,
    "--csv": export.as_csv,
    "--html": page.render,
    "--markdown": markdown.as_markdown,
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """Names of files by the flags of FORMS; "-" is standard output, for one of them."""

    files: Mapping[str, str]

    @property
    def table(self) -> TextIO:
        """Where the table goes: standard error, if a report goes to standard output."""
        return sys.stderr if STDOUT in self.files.values() else sys.stdout

    def check(self) -> None:
        """Raise OutputError now for a file that could not be written in the end."""
        if list(self.files.values()).count(STDOUT) > 1:
            raise OutputError(f"{' and '.join(self.files)}: only one can go to standard output")
        named: dict[str, str] = {}
        for flag, name in self.files.items():
            if name != STDOUT:
                other = named.setdefault(os.path.realpath(name), flag)
                if other != flag:
                    raise OutputError(f"{flag} {name}: the file of {other}; name another one")
                with atomic_write(Path(name), flag):
                    pass

    def write(self, report: Report) -> None:
        """Write a report to all of them; raise OutputError where that fails."""
        for flag, name in self.files.items():
            text = FORMS[flag](report)
            if name == STDOUT:
                print(text)
                continue
            with atomic_write(Path(name), flag) as part:
                part.write_text(text, encoding="utf-8", newline="")
            tell_written(name)
