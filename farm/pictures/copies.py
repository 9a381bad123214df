"""A folder of copies: where in it an image's copy is, and that nothing else is written over."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from farm.errors import OutputError
from farm.sources.files import LIST_SUFFIXES, literal_folder
from farm.system.atomic_file import atomic_write, remove_left
from farm.system.folder_lock import locked
from farm.system.stdio import STDIN

FLAG: Final = "--annotate"
MARK: Final = ".npu-farm-copies"  # a file in each folder of copies
MARK_TEXT: Final = (
    f"npu-farm run has made this folder, for {FLAG}. With --overwrite and --resume it replaces\n"
    "the images in it: keep nothing of yours here.\n"
)
ROOT: Final = "/"
STAND_INS: Final = {ROOT: "_root", "..": "_up"}  # of what would lead out of the folder
# Another name would do. Not all file systems take all names, or paths of any length.
OF_THE_NAME: Final = frozenset({
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ),
    *(errno.EISDIR, errno.ENOTDIR, errno.EEXIST),  # a.gif becomes a.gif.png, which may be a folder
})  # fmt: skip
LONGEST_NAME: Final = 255  # bytes, on all usual file systems


class NoCopyError(Exception):
    """An image has no copy, and why not."""


class Copies:
    """The folder for copies of the images that `targets` name; it is made if it is not there.

    Raises OutputError for a folder with other files, for one of an earlier run if it is not `again`
    to be written to, for one that another run writes to, and, with `recursive`, for one among the
    images. Several threads may use it, until it is closed.
    """

    def __init__(
        self, folder: Path, targets: Sequence[str], *, again: bool, recursive: bool
    ) -> None:
        self.folder, self._shared = folder, shared(targets)
        self._lock = threading.Lock()
        self._sources: dict[int, int] = {}  # hash of a copy's place: hash of its image's path
        check_apart(folder, targets, recursive=recursive)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._real = folder.resolve()
            self._fd = locked(str(self._real))
        except BlockingIOError as error:
            raise OutputError(
                f"{FLAG} {folder}: another run writes its copies there; wait, or name a new folder"
            ) from error
        except FileExistsError as error:
            raise OutputError(f"{FLAG} {folder}: it is no folder; name a new one") from error
        except OSError as error:
            raise OutputError(f"{FLAG} {folder}: {error.strerror}") from error
        try:
            self._prepare(again=again)
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, again: bool) -> None:
        check_ours(self.folder, again=again)
        remove_left(self.folder)  # by a run that was killed
        with atomic_write(self.folder / MARK, FLAG) as mark:
            mark.write_text(MARK_TEXT)
        # As on a memory card of a camera: there, 1.JPG and 1.jpg are one file.
        self._is_one = str.casefold if (self.folder / MARK.upper()).exists() else str

    def close(self) -> None:
        """Let other runs have the folder."""
        os.close(self._fd)

    def place(self, path: str, suffixes: Sequence[str]) -> Path | None:
        """Return where to put the copy of an image; None if it has one already.

        Its name ends in one of `suffixes`, in the first one if that of the image is none of them.
        Raises NoCopyError.
        """
        own = parts(path)
        *folders, name = own[len(self._shared) :]
        name += "" if name.lower().endswith(tuple(suffixes)) else suffixes[0]
        if len(os.fsencode(name)) > LONGEST_NAME:
            raise NoCopyError("its name is too long for a copy")
        place = self.folder.joinpath(*map(stand_in, folders), name)
        one = hash(self._is_one(str(place)))
        with self._lock:
            before = self._sources.setdefault(one, 0)
            self._sources[one] = before or hash(own)
        if before not in {0, hash(own)}:
            raise NoCopyError(f"the copy of another image is {place}")
        return None if before else place

    def write(self, place: Path, data: bytes, source: str) -> None:
        """Write the copy of `source`, whole or not at all.

        Raises OutputError, and NoCopyError if only this place can't be.
        """
        try:
            self._write(place, data, source)
        except OutputError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in OF_THE_NAME:
                raise NoCopyError(f"its copy can't be {place}: {cause.strerror}") from error
            raise

    def _write(self, place: Path, data: bytes, source: str) -> None:
        try:
            if not (self._real.exists() and os.path.samefile(self._real, self._fd)):
                raise OutputError(f"{FLAG} {self.folder}: it was removed or moved meanwhile")
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.parent.resolve().is_relative_to(self._real):
                raise OutputError(f"{FLAG} {place.parent}: a link that leads out of {self.folder}")
            if place.exists() and place.samefile(source):
                raise OutputError(f"{FLAG} {self.folder}: {place} is one of the images themselves")
        except OSError as error:
            raise OutputError(f"{FLAG} {place}: {error.strerror}") from error
        with atomic_write(place, FLAG) as part:
            part.write_bytes(data)


def check_ours(folder: Path, *, again: bool) -> None:
    """Raise OutputError for a folder that is neither empty nor, if `again`, one of copies."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise OutputError(f"{FLAG} {folder}: {error.strerror}") from error
    if names and MARK not in names:
        raise OutputError(
            f"{FLAG} {folder}: it has other files; name a new folder, or an empty one"
        )
    if names not in ([], [MARK]) and not again:
        raise OutputError(
            f"{FLAG} {folder}: it has copies of an earlier run; add --overwrite to replace them, "
            "or name a new folder"
        )


def check_apart(folder: Path, targets: Iterable[str], *, recursive: bool) -> None:
    """Raise OutputError for a folder whose copies would be images of the next run."""
    for target in targets:
        below = recursive and os.path.isdir(target)
        top = target if below else literal_folder(target) if "**" in target else None
        if top is not None and folder.resolve().is_relative_to(Path(top).resolve()):
            raise OutputError(
                f"{FLAG} {folder}: it is among the images, so the next run would read the copies; "
                f"name a folder outside {top or 'the current one'}"
            )


def shared(targets: Iterable[str]) -> tuple[str, ...]:
    """Return the parts with which the paths of all images begin that these targets name."""
    folders = []
    for target in targets:
        if target == STDIN or (target.lower().endswith(LIST_SUFFIXES) and os.path.isfile(target)):
            return ()
        if os.path.isdir(target):
            folders.append(parts(target))
        else:
            is_file = os.path.lexists(target)
            folders.append(parts(os.path.dirname(target) if is_file else literal_folder(target)))
    same = takewhile(lambda named: len(set(named)) == 1, zip(*folders, strict=False))
    return tuple(named[0] for named in same)


def parts(path: str) -> tuple[str, ...]:
    """Return the folders and the name in a path; the first one of an absolute path is ROOT."""
    named = (part for part in path.split("/") if part not in {"", "."})
    return ((ROOT,) if path.startswith(ROOT) else ()) + tuple(named)


def stand_in(part: str) -> str:
    """Return a part of a path as one that leads further in; no two parts become the same."""
    if part in STAND_INS:
        return STAND_INS[part]
    return part + "_" if part.rstrip("_") in STAND_INS.values() else part
