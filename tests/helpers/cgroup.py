"""Cgroups of a test, which are gone afterwards even if the test's process is killed."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PROCESSES: Final = "cgroup.procs"  # in a cgroup's folder; a process written to it goes in
# Begins when its standard input ends: with the test, or with the test's process.
GUARD: Final = """
cat > /dev/null
cd "$1" || exit 1
{settle}
until rmdir "$1" 2> /dev/null; do
    while read -r pid; do
        {each}
    done < cgroup.procs
    sleep 0.02
done 2> /dev/null
"""


class Cgroup:
    """The cgroup whose folder is `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, *pids: int) -> None:
        """Put processes in; what they fork later is in it, too."""
        for pid in pids:
            self._set(PROCESSES, str(pid))

    def _set(self, file: str, value: str) -> None:
        (self._path / file).write_text(f"{value}\n", encoding="ascii")


@contextmanager
def temporary(parent: Path, *, settle: str, each: str) -> Iterator[Path]:
    """Make a cgroup below `parent`; at the end, a shell empties and removes it.

    In its folder that runs the command `settle` once, then `each` for every `$pid` in it until
    there is none.
    """
    path = parent / f"npu-farm-tests-{uuid.uuid4().hex}"
    path.mkdir()
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD.format(settle=settle, each=each), "guard", str(path)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # what ends the test's whole group does not end this
    )
    try:
        yield path
    finally:
        guard.communicate()


def mounted(controller: str) -> Path | None:
    """Where a controller of version 1 is mounted; None if it is not."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup" and controller in options.split(","):
            return Path(place)
    return None


def unusable(place: Path | None, what: str) -> str:
    """Why no cgroup can be made in `place`: what a skipped test says; empty if one can."""
    if os.geteuid() != 0:
        return f"{what} needs root"
    if place is None:
        return f"{what} is not mounted here"
    return "" if os.access(place, os.W_OK) else f"{what} is mounted read-only at {place}"
