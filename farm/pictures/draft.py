"""A page and the folder of its files: made beside their place, put into it at the end."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from farm.errors import OutputError
from farm.system.atomic_file import PART
from farm.system.folder_lock import is_new, locked

FLAG: Final = "--html"
SUFFIXES: Final = (".html", ".htm")
FILES: Final = "_files"  # of results.html they are in results_files, as browsers name it
OURS: Final = re.compile(r"\d{6}\.jpg")


class Draft:
    """A hidden folder beside the page `name`: what will be its `page`, its `files`, its `cards`.

    Raises OutputError where that can't be. It is removed in the end, with what is still in it;
    if the program is killed before, by the next run that makes the same page.
    """

    def __init__(self, name: Path, *, overwrite: bool) -> None:
        self._name, self._overwrite = name, overwrite
        check(name, overwrite=overwrite)
        try:
            self._folder = Path(tempfile.mkdtemp(PART, f".{name.name}.", name.parent))
            self._fd = locked(str(self._folder))
            self.page, self.cards = self._folder / "page", self._folder / "cards"
            self.files = self._folder / "files"
            self.files.mkdir()
        except OSError as error:
            raise unwritable(name, error) from error
        for left in name.parent.glob(f".{glob.escape(name.name)}.*{PART}"):
            with suppress(OSError):  # another user's, or in use
                remove_if_abandoned(left)

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._fd)

    def file(self, number: int) -> Path:
        """Return the name of a file of the page."""
        return self.files / f"{number:06}.jpg"

    def put_in_place(self, *, with_files: bool) -> None:
        """Put the page where it belongs, and its files beside it; raises OutputError."""
        check(self._name, overwrite=self._overwrite)
        beside = files_of(self._name)
        try:
            if beside.exists():
                beside.rename(self._folder / "before")
            if with_files:
                self.files.rename(beside)
            self.page.replace(self._name)
        except OSError as error:
            raise unwritable(self._name, error) from error


def remove_if_abandoned(draft: Path) -> None:
    """Remove a draft whose run was killed; raises OSError if one has it."""
    status = draft.lstat()
    if status.st_uid == os.geteuid() and not is_new(status):
        fd = locked(str(draft))
        shutil.rmtree(draft, ignore_errors=True)
        os.close(fd)


def files_of(name: Path) -> Path:
    """Return the folder of a page's files."""
    return name.with_name(f"{name.stem}{FILES}")


def check(name: Path, *, overwrite: bool) -> None:
    """Raise OutputError if no page can be put at `name`, or something is there already.

    With `overwrite`, a file is replaced, and a folder of a page's files; no other folder ever is.
    """
    if name.suffix not in SUFFIXES:
        raise OutputError(f"{FLAG} {name}: the name must end in {SUFFIXES[0]}")
    if os.path.isdir(name):
        raise OutputError(f"{FLAG} {name}: it is a folder; name a file in it")
    if not os.path.isdir(name.parent):
        raise OutputError(f"{FLAG} {name}: {name.parent} is no folder; make it first")
    if os.path.exists(name) and not os.path.isfile(name):
        raise OutputError(f"{FLAG} {name}: it is no file; name another one")
    beside = files_of(name)
    taken = [each for each in (name, beside) if os.path.isdir(each) or holds_bytes(each)]
    if taken and not overwrite:
        raise OutputError(
            f"{FLAG} {name}: {taken[0]} is there already; add --overwrite to replace it, or name "
            "another file"
        )
    if os.path.lexists(beside) and not is_ours(beside):
        raise OutputError(
            f"{FLAG} {name}: its pictures would be in {beside}, and something else is there; name "
            "another file"
        )


def holds_bytes(path: Path) -> bool:
    """Return whether a path is a file with something in it."""
    return os.path.isfile(path) and path.stat().st_size > 0


def is_ours(path: Path) -> bool:
    """Return whether a path is a folder that has nothing but files of a page."""
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    try:
        return all(OURS.fullmatch(name) for name in os.listdir(path))
    except OSError:
        return False


def unwritable(name: Path, error: OSError) -> OutputError:
    """Return the error that tells why a page can't be written."""
    return OutputError(f"{FLAG} {name}: cannot write it: {error.strerror}")
