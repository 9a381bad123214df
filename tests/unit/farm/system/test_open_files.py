"""Room for open files, in a process of its own: the limit is the test's to lower there."""

from __future__ import annotations

import json
import sys

from tests.helpers import programs

# Prints the limit afterwards, or the error; the arguments: soft and hard limit, how many files.
PROGRAM = """
import json, os, resource, sys
from farm.system.open_files import make_room
soft, hard, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
before = os.dup(0)
os.close(before)
try:
    make_room(count)
except OSError as error:
    print(json.dumps(error.strerror))
else:
    print(json.dumps(resource.getrlimit(resource.RLIMIT_NOFILE)))
assert os.dup(0) == before, "all it opened is closed"
"""


def made_room(soft: int, hard: int, count: int) -> object:
    words = map(str, (soft, hard, count))
    done = programs.run(sys.executable, "-c", PROGRAM, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_limit_that_is_enough_stays() -> None:
    assert made_room(200, 300, 100) == [200, 300]


def test_a_limit_is_raised_as_far_as_it_must_be() -> None:
    assert made_room(100, 1000, 300) == [400, 1000]


def test_a_limit_is_raised_no_further_than_this_process_may() -> None:
    assert made_room(100, 350, 300) == [350, 350]


def test_where_it_may_not_be_raised_enough_that_is_an_error() -> None:
    assert made_room(100, 200, 300) == "Too many open files"
    assert made_room(200, 200, 300) == "Too many open files"
