"""Sources less what is done."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from itertools import count

import pytest

from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex, digest
from farm.sources.base import IterableSource, Source
from farm.sources.lines import LineSource
from tests.helpers.sources import endlessly, refs
from workers.protocol.messages import Encoded, FileRef


def never() -> bool:
    return False


def of_done(*paths: bytes) -> ResumeIndex:
    return ResumeIndex(array("Q", sorted(map(digest, paths))))


def files(*paths: bytes) -> list[FileRef | Encoded]:
    return [FileRef(path) for path in paths]


def test_what_is_done_is_not_given() -> None:
    source = Remaining(IterableSource(files(b"a", b"b", b"a", b"c")), of_done(b"a", b"c"), never)
    assert source.take(9) == files(b"b", b"a")
    assert source.exhausted
    assert source.skipped == 2


@pytest.mark.parametrize("other", [b"./a/b", b"a//b", b"a/./b", b".//./a/././/b"])
def test_a_path_is_known_however_many_dots_it_has(other: bytes) -> None:
    assert Remaining(IterableSource(files(b"a/b")), of_done(other), never).take(9) == []
    assert Remaining(IterableSource(files(other)), of_done(b"a/b"), never).take(9) == []


@pytest.mark.parametrize("other", [b"/a/b", b"../a/b", b"c/../a/b", b"a./b", b"a/.b", b"a/b."])
def test_a_path_that_may_be_another_file_is_another(other: bytes) -> None:
    assert Remaining(IterableSource(files(b"a/b")), of_done(other), never).take(9) == files(b"a/b")


def test_as_many_are_given_as_are_asked_for_however_many_are_skipped() -> None:
    done = [b"%d" % number for number in range(1000)]
    source: Source = IterableSource(files(*done, b"x", b"y", b"z"), 1003)
    remaining = Remaining(source, of_done(*done), never)
    assert remaining.total == 1003
    assert remaining.take(2) == files(b"x", b"y")
    assert not remaining.exhausted
    assert remaining.take(2) == files(b"z")


def test_what_is_no_file_is_never_skipped() -> None:
    source = Remaining(IterableSource([Encoded(b"a")]), of_done(b"a"), never)
    assert source.take(1) == [Encoded(b"a")]


def test_a_signal_ends_the_skipping() -> None:
    asked = count()
    done = [b"a"] * 1000
    source = Remaining(IterableSource(files(*done)), of_done(*done), lambda: next(asked) == 10)
    assert source.take(4) == []
    assert source.skipped == 40
    assert not source.exhausted


def test_a_list_that_comes_slowly_is_not_waited_for() -> None:
    reader, writer = os.pipe()
    source = Remaining(LineSource(reader), of_done(b"a"), never)
    assert source.fds == (reader,)
    os.write(writer, b"a\n")
    assert source.take(2) == []
    os.write(writer, b"a\nb\n")
    assert source.take(2) == refs("a", "b")
    assert not source.exhausted
    os.close(writer)
    assert source.take(2) == []
    assert source.exhausted
    os.close(reader)


def failing() -> Iterator[FileRef | Encoded]:
    yield from files(b"a", b"b", b"c", b"d")
    raise LookupError


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_an_error_comes_after_what_is_left_of_all_before_it(count: int) -> None:
    source = Remaining(IterableSource(failing()), of_done(b"a", b"d"), never)
    taken: list[object] = []
    with pytest.raises(LookupError):
        taken.extend(endlessly(source, count))
    assert taken == files(b"b", b"c")
    assert not source.exhausted
