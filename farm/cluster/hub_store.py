"""The folder of a hub: locked by one server, with its token, its config, what it holds."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm.errors import OutputError
from farm.system.folder_lock import locked

TOKEN_BYTES: Final = 16
OURS_ALONE: Final = 0o600
MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class HubStore:
    """A folder that this process has locked; `fd` keeps it so in a child that inherits it."""

    folder: Path
    fd: int

    def token(self) -> str:
        """Return what opens this hub, made here at its first start."""
        file = self.folder / "token"
        if not file.exists():
            self._write(file, f"{new_token()}\n")
        token = read_token(self.folder)
        if token is None:
            raise OutputError(
                f"{file}: no token in it; write one, or remove the file for a new one"
            )
        return token

    def write_config(self, text: str) -> Path:
        """Keep the server's config, and return where: it has the token, so nobody else reads it."""
        file = self.folder / "server.conf"
        self._write(file, text)
        return file

    def check_room(self, most: int) -> None:
        """Raise OutputError unless the disk can hold `most` bytes, with what is there already."""
        held = sum(each.lstat().st_size for each in self.folder.rglob("*") if not each.is_dir())
        free = shutil.disk_usage(self.folder).free
        if held + free < most:
            raise OutputError(
                f"--store {self.folder}: the disk has {free // MB} MB left, and the hub may take "
                f"{(most - held) // MB} MB more: choose another folder, or less with --store-mb"
            )

    def _write(self, file: Path, text: str) -> None:
        part = file.with_suffix(".part")
        try:
            part.unlink(missing_ok=True)
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OURS_ALONE)
            with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as written:
                written.write(text)
            part.replace(file)
        except OSError as error:
            raise OutputError(f"--store: {file}: {error.strerror}") from error


@contextmanager
def open_store(folder: Path) -> Iterator[HubStore]:
    """Make and lock a folder during the block; raises OutputError with the reason."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = locked(str(folder))
    except OSError as error:
        why = "another hub uses it" if error.errno == errno.EWOULDBLOCK else error.strerror
        raise OutputError(f"--store {folder}: {why}") from error
    try:
        yield HubStore(folder, fd)
    finally:
        os.close(fd)


def read_token(folder: Path) -> str | None:
    """Return the token of the hub in a folder, None if it has none that can be read."""
    try:
        words = (folder / "token").read_text(encoding="utf-8").split()
    except (OSError, UnicodeError):
        return None
    return words[0] if len(words) == 1 else None


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_hex(TOKEN_BYTES)
