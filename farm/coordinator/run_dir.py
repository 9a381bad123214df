"""The private folder that holds a run's sockets, and what becomes of one whose run was killed."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from farm.errors import StartError
from farm.system.folder_lock import is_new, locked
from farm.system.ownership import Owned, hollow, opening
from workers.main import RUN_DIR_PREFIX, clean_up

# A path to a Unix socket has 107 bytes at most; npu-farm-XXXXXXXX/worker-NNN.GGGGGG takes 36.
LONGEST_PARENT: Final = 70
SHORT_PARENT: Final = "/tmp"  # noqa: S108 - mkdtemp makes the private folder in it
MODE: Final = 0o700  # of what mkdtemp makes


class RunDir(Owned):
    """A new folder of mode 0700, locked for as long as this process lives; raises StartError.

    Workers remove the folder when their coordinator is gone. Where there was none alive to do so,
    the next farm does: it removes unlocked folders of earlier runs beside its own. A folder that is
    named otherwise, or holds anything that is not a run's, is somebody's own and stays.
    """

    def __init__(self) -> None:
        try:
            parent = os.path.abspath(tempfile.gettempdir())
            if len(os.fsencode(parent)) > LONGEST_PARENT:
                parent = SHORT_PARENT
            with opening:
                self.path = tempfile.mkdtemp(prefix=RUN_DIR_PREFIX, dir=parent)
                self._fd = locked(self.path)
                self.own()
        except OSError as error:
            raise StartError(f"cannot make a folder for the farm's sockets: {error}") from error
        for left in Path(parent).glob(f"{RUN_DIR_PREFIX}*"):
            with suppress(OSError):  # another user's, in use, or just removed by another farm
                _remove_if_abandoned(left)

    def remove(self) -> None:
        """Remove the folder and the sockets in it; in a forked child, do nothing."""
        if not self.disowned:
            clean_up(self.path)
            self.release()
            os.close(self._fd)

    def disown(self) -> None:
        """Let go of the lock: it ends with the parent."""
        super().disown()
        hollow(self._fd)


def _remove_if_abandoned(folder: Path) -> None:
    status = folder.lstat()
    ours = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == MODE
    if not ours or is_new(status):
        return
    fd = locked(str(folder))
    clean_up(str(folder))
    os.close(fd)
