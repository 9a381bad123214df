"""A file of whole lines: appended to, synced to the disk now and then, never left with half a line.

What has been written stays as it is, whatever happens to the disk or to this process.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from farm.errors import OutputError, WriterError
from farm.system.fd_writer import WriteDeadline, is_regular, write_all

SYNC_SECONDS: Final = 5.0  # what a power cut may cost; an fsync on an SD card takes a while, too
MODE: Final = 0o666  # less the user's umask, as `open` does
# O_NONBLOCK is for a named pipe: WriteDeadline waits for a full one, and notices signals.
FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK


class LineFile:
    """The file `name`, locked for as long as it is open; raises OutputError.

    Its first `keep` bytes stay, the rest is cut off. `expected` is the size in bytes that it
    had when somebody looked, None if nobody did: a file that has changed since is left alone.
    A pipe or a device is written to as it is.
    """

    def __init__(
        self, name: Path, deadline: WriteDeadline, *, keep: int = 0, expected: int | None = None
    ) -> None:
        self._name, self._deadline = name, deadline
        new = not os.path.exists(name)
        self._fd = _open(name)
        self._regular = is_regular(self._fd)
        self._size = keep
        self._synced_at: float | None = None
        try:
            if self._regular:
                self._claim(expected)
        except BaseException:
            os.close(self._fd)
            raise
        if new:
            _sync_folder(name)

    def __enter__(self) -> LineFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                self._sync()
            finally:
                self._close()
        except WriterError:
            if error is None:  # else the first error is the one to tell
                raise

    def append(self, lines: bytes) -> None:
        """Append whole lines; raises WriterError or InterruptedWriteError, and appends nothing."""
        try:
            write_all(self._fd, lines, self._deadline)
        except OSError as error:
            self._cut(len(lines))
            raise self._unwritable(error) from error
        self._size += len(lines)

    def sync_if_due(self, now: float) -> None:
        """Sync the lines to the disk if 5 s have passed by `now` (seconds) since the last time.

        Raises WriterError, also if the file is no longer as it was written: removed, moved, cut
        off, or written to by others.
        """
        if self._synced_at is None:
            self._synced_at = now
        if now - self._synced_at >= SYNC_SECONDS:
            self._sync()
            self._synced_at = now

    def _claim(self, expected: int | None) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"--output {self._name}: another run is writing to it; wait, or name another file"
            ) from error
        except OSError:
            pass  # a file system without locks
        if expected is not None and os.fstat(self._fd).st_size != expected:
            raise OutputError(f"--output {self._name}: it has just been changed; try again")
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            raise OutputError(
                f"--output {self._name}: cannot cut it off at its last whole line: {error.strerror}"
            ) from error

    def _cut(self, tried: int) -> None:
        """Remove the piece of `tried` bytes that was written before the disk was full."""
        if self._regular:
            with suppress(OSError):  # --resume repairs what could not be repaired here
                # Unless others have changed the file meanwhile: then no such piece is at its end.
                if 0 < os.fstat(self._fd).st_size - self._size < tried:
                    os.ftruncate(self._fd, self._size)

    def _sync(self) -> None:
        if not self._regular:
            return
        try:
            os.fsync(self._fd)
            found = os.fstat(self._fd)
        except OSError as error:
            raise self._unwritable(error) from error
        changed = self._changed_by_others(found)
        if changed is not None:
            raise WriterError(f"--output {self._name}: {changed}")

    def _changed_by_others(self, found: os.stat_result) -> str | None:
        """Return what has become of the file, None if it is as it was written."""
        if found.st_nlink == 0:
            return "the file was removed while it was written"
        try:
            named = os.stat(self._name)
        except OSError as error:
            return f"the file was moved or replaced while it was written: {error.strerror}"
        if not os.path.samestat(named, found):
            return "the file was moved or replaced while it was written: another file has its name"
        if found.st_size < self._size:
            left = f"{found.st_size} of {self._size} bytes are left"
            return f"another program has cut it off: {left}; what is missing, --resume does again"
        if found.st_size > self._size:
            more = f"{found.st_size - self._size} bytes are not of this run"
            return f"another program writes to it, too: {more}; remove them, then --resume goes on"
        return None

    def _close(self) -> None:
        try:
            os.close(self._fd)
        except OSError as error:  # some file systems find only now that the disk is full
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> WriterError:
        return WriterError(f"--output {self._name}: cannot write: {error.strerror}")


def _open(name: Path) -> int:
    try:
        return os.open(name, FLAGS, MODE)
    except OSError as error:
        reason = error.strerror
        if error.errno == errno.ENXIO and name.is_fifo():
            reason = "nobody reads this pipe; start its reader first"
        raise OutputError(f"--output {name}: cannot create it: {reason}") from error


def _sync_folder(name: Path) -> None:
    """Sync a new file's entry in its folder: its content is lost without."""
    with suppress(OSError):  # a folder that may not be read, or a file system that can't
        fd = os.open(name.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
