from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from tests.helpers import pids_limit

pytestmark = pytest.mark.skipif(pids_limit.why_not() != "", reason=pids_limit.why_not())

# Forks for each line that it reads, and says how it went.
FORKS: Final = """
import os, sys
for line in sys.stdin:
    try:
        pid = os.fork()
    except BlockingIOError:
        print("EAGAIN", flush=True)
        continue
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    print("forked", flush=True)
"""


def forks(program: subprocess.Popen[str]) -> str:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("\n")
    program.stdin.flush()
    return program.stdout.readline().strip()


def test_a_process_can_not_fork_until_it_is_allowed_again() -> None:
    words = (sys.executable, "-c", FORKS)
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as program:
        with pids_limit.pids_limit() as limit:
            limit.add(program.pid)
            assert forks(program) == "forked"
            limit.forbid()
            assert forks(program) == "EAGAIN"
            limit.allow()
            assert forks(program) == "forked"
            limit.forbid()
        assert forks(program) == "forked"
