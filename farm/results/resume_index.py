"""What a results file holds from earlier runs: which images, which ids, whether its end is torn."""

from __future__ import annotations

import hashlib
import json
import os
import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from farm.errors import OutputError
from farm.results.answer_format import KEYS

DIGEST_BYTES: Final = 8  # of two million paths, two are alike with a chance of one in ten million
KEY: Final = os.urandom(16)  # and nobody can choose names that are
# Bytes. A detector gives 1000 objects at most, with labels of 1000 characters, 12 bytes each.
LONGEST_LINE: Final = 1 << 24
LARGEST_ID: Final = 2**53  # above it, programs that read JSON numbers as floats mix ids up
RUN: Final = re.compile("[0-9a-f]{20}")  # what names one at a hub, in subjects with wildcards, too
BEGIN: Final = b'{"id": '  # of each of our lines, however little of it there is


@dataclass(slots=True)
class ResumeIndex:
    """The images that need not be done again, each as often as the file has a line of it.

    `digests` are the sorted digests of the lines' paths, `next_id` the first id above all of
    theirs, `whole` the bytes that its whole lines take, `torn` those of the piece after them.
    `run` is that of the last line, None if it did not come through a hub, and `ids` has the sorted
    ids of the lines of that run. `skipped` counts the images that `skip` has passed over.
    """

    digests: array[int] = field(default_factory=lambda: array("Q"))
    next_id: int = 0
    whole: int = 0
    torn: int = 0
    run: str | None = None
    ids: array[int] = field(default_factory=lambda: array("Q"))
    skipped: int = 0
    _used: array[int] = field(init=False)

    def __post_init__(self) -> None:
        # How many lines of a path have been used up, at the index of its first one.
        self._used = array("I", bytes(len(self.digests) * array("I").itemsize))

    def has(self, number: int) -> bool:
        """Return whether the file has a line with this id of its last run through a hub."""
        at = bisect_left(self.ids, number)
        return at < len(self.ids) and self.ids[at] == number

    def skip(self, path: bytes) -> bool:
        """Return whether the file has one more line of this path, and use that line up."""
        if not self.digests:
            return False
        wanted = digest(path)
        first = bisect_left(self.digests, wanted)
        if first == len(self.digests) or self.digests[first] != wanted:
            return False
        if self._used[first] == bisect_right(self.digests, wanted) - first:
            return False
        self._used[first] += 1
        self.skipped += 1
        return True


def digest(path: bytes) -> int:
    """Return a number that stands for a path, another one in each process.

    `./a`, `.//a` and `a` are one path. What needs the disk or the current folder to tell, as an
    absolute path does, is another: the file may have been written in another folder.
    """
    if b"./" in path or b"//" in path:
        path = re.sub(rb"^(\./+)+", b"", re.sub(rb"/(\.?/)+", b"/", path))
    found = hashlib.blake2b(path, digest_size=DIGEST_BYTES, key=KEY).digest()
    return int.from_bytes(found, "little")


def read(name: Path, key: str) -> ResumeIndex:
    """Read a results file and change nothing; one that is not there is an empty one.

    `key` is the one of AnswerFormat that its lines must have. Takes 12 bytes of memory per line,
    8 more where a hub had its image.
    Raises OutputError for a file that can't be read, and for one with a whole line that is no
    result of this kind of task: then it is some other file.
    """
    try:
        if name.exists() and not name.is_file():
            raise OutputError(f"--resume: {name} is no regular file and can't be read again")
        with name.open("rb") as file:
            return _index(file, name, key)
    except FileNotFoundError:
        return ResumeIndex()
    except OSError as error:
        raise OutputError(f"--resume: {name}: cannot read: {error.strerror}") from error


def _index(file: BinaryIO, name: Path, key: str) -> ResumeIndex:
    digests, next_id, whole, torn = array("Q"), 0, 0, 0
    run, ids = None, array("Q")
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
        found = parse(line)
        if found is not None:
            if found.key != key:
                raise OutputError(
                    f"--resume: {name}: line {number} is of another task: it has {found.key!r}, "
                    f"lines of this run's task have {key!r}; name another file"
                )
            digests.append(digest(found.path))
            next_id, whole = max(next_id, found.id + 1), whole + len(line)
            if found.run != run:
                run, ids = found.run, array("Q")
            if run is not None:
                ids.append(found.id)
        elif _is_torn(line, file):
            torn = os.fstat(file.fileno()).st_size - whole
            break
        else:
            raise OutputError(
                f"--resume: {name}: line {number} is no result of npu-farm; "
                "name another file, or remove that line"
            )
    if digests:
        import numpy as np  # only here: of all runs few resume, and numpy takes 0.1 s and 20 MB

        for each in (digests, ids):
            np.frombuffer(each, np.uint64).sort()  # in place
    return ResumeIndex(digests, next_id, whole, torn, run, ids)


def _is_torn(line: bytes, file: BinaryIO) -> bool:
    """Return whether it may be the beginning of a line of ours, with no more in `file` than that.

    A power cut can leave zeros where the rest should be.
    """
    begun = line.rstrip(b"\0")
    if line.endswith(b"\n") or not (begun.startswith(BEGIN) or BEGIN.startswith(begun)):
        return False
    return not any(more.strip(b"\0") for more in iter(lambda: file.read(LONGEST_LINE), b""))


class Line(NamedTuple):
    """What a line tells: its id, its path, the key of its answer, its run if a hub had it."""

    id: int
    path: bytes
    key: str
    run: str | None


def parse(line: bytes) -> Line | None:
    """Return what a line that is a result tells, None for any other."""
    if not line.endswith(b"\n"):
        return None
    try:
        found = json.loads(line)
        number, path = found["id"], os.fsencode(found["path"])
        run = found.get("run")
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    keys = KEYS & found.keys()
    is_id = type(number) is int and 0 <= number < LARGEST_ID
    is_run = run is None or (isinstance(run, str) and RUN.fullmatch(run) is not None)
    if not (is_id and is_run and "error" in found and len(keys) == 1):
        return None
    (key,) = keys
    return Line(number, path, key, run)
