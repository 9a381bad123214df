"""A limit that keeps a process from being started is named."""

from __future__ import annotations

import errno
import os

import pytest

from farm.system.process_limits import why_no_process


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (errno.EAGAIN, "ulimit -u"),
        (errno.EAGAIN, "pids.max"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ETOOMANYREFS, "ulimit -n"),
        (errno.ENFILE, "fs.file-max"),
        (errno.ENOMEM, "memory"),
        (errno.EPERM, os.strerror(errno.EPERM)),
    ],
)
def test_a_limit_is_named(number: int, name: str) -> None:
    assert name in why_no_process(OSError(number, os.strerror(number)))
