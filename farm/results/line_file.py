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
            self._sync()
        except WriterError:
            if error is None:  # else the first error is the one to tell
                raise
        finally:
            os.close(self._fd)

    def append(self, lines: bytes) -> None:
        """Append whole lines; raises WriterError or InterruptedWriteError, and appends nothing."""
        try:
            write_all(self._fd, lines, self._deadline)
        except OSError as error:
            self._cut()
            raise self._unwritable(error) from error
        self._size += len(lines)

    def sync_if_due(self, now: float) -> None:
        """Sync the lines to the disk if 5 s have passed by `now` (seconds) since the last time.

        Raises WriterError, also if somebody has removed the file.
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

    def _cut(self) -> None:
        """Remove the piece of a line that was written before the disk was full."""
        if self._regular:
            with suppress(OSError):  # --resume repairs what could not be repaired here
                os.ftruncate(self._fd, self._size)

    def _sync(self) -> None:
        if not self._regular:
            return
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._unwritable(error) from error
        if os.fstat(self._fd).st_nlink == 0:
            raise WriterError(f"--output {self._name}: the file was removed while it was written")

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
