"""References from a Python iterable: which items it takes, how far it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.errors import SourceError
from farm.results.result import path_of
from farm.sources import base
from farm.sources.base import CUT, LONGEST_PATH, TAKE_BYTES, IterableSource
from tests.helpers.sources import endlessly, refs, take_all
from workers.protocol.messages import Encoded, FileRef, Pixels, Refused


def test_items_are_paths_bytes_or_arrays() -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    source = IterableSource.from_items(["/a.jpg", Path("/b.jpg"), b"\xff\xd8", picture])
    assert source.total == 4
    assert take_all(source) == [
        *refs("/a.jpg", "/b.jpg"),
        Encoded(b"\xff\xd8"),
        Pixels(bytes(range(18)), 2, 3),
    ]


def test_a_path_that_is_not_utf8_keeps_its_bytes() -> None:
    assert take_all(IterableSource.from_items([os.fsdecode(b"/\xff.jpg")])) == refs(b"/\xff.jpg")


def test_an_arrays_rows_are_given_in_order_however_they_lie_in_memory() -> None:
    picture = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    columns_first, every_other = np.asfortranarray(picture), picture[::-1, ::2]
    assert IterableSource.from_items([columns_first, every_other]).take(2) == [
        Pixels(bytes(range(36)), 3, 4),
        Pixels(np.ascontiguousarray(every_other).tobytes(), 3, 2),
    ]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((1, 4, 3, 3), np.uint8),
        np.zeros((3, 4, 4), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_that_is_no_bgr_image_is_refused(array: Any) -> None:
    with pytest.raises(SourceError, match=rf"{array.dtype} {re.escape(str(list(array.shape)))}"):
        IterableSource.from_items([array]).take(1)


@pytest.mark.parametrize("item", [3, None, 1.5, ["/a.jpg"], object()])
def test_an_item_of_no_known_kind_is_refused_by_its_type(item: Any) -> None:
    with pytest.raises(SourceError, match=type(item).__name__):
        IterableSource.from_items([item]).take(1)


def test_a_generator_is_read_no_further_than_it_is_taken() -> None:
    asked = iter(range(1000))
    source = IterableSource.from_items(f"/{number}.jpg" for number in asked)
    assert source.total is None
    assert source.take(3) == refs("/0.jpg", "/1.jpg", "/2.jpg")
    assert source.take(0) == []
    assert next(asked) == 3


@pytest.mark.parametrize("count", [1, 2, 3, 4, 100])
def test_a_source_is_exhausted_after_its_last_item(count: int) -> None:
    source = IterableSource(refs("/1", "/2", "/3", "/4"))
    assert take_all(source, count) == refs("/1", "/2", "/3", "/4")


def test_an_exhausted_source_stays_exhausted() -> None:
    source = IterableSource(refs("/1"))
    source.take(2)
    assert source.exhausted
    assert source.take(0) == []
    assert source.exhausted


def test_nothing_to_wait_on_where_nothing_has_to_be_waited_for() -> None:
    assert IterableSource.from_items([]).fds == ()


@pytest.mark.parametrize(
    "item", ["a.jpg", Path("a.jpg"), b"bytes", bytearray(b"x"), np.zeros((5, 3, 3), np.uint8)]
)
def test_a_single_item_is_refused(item: Any) -> None:
    with pytest.raises(SourceError):
        IterableSource.from_items(item)


def test_what_is_not_iterable_is_refused_by_its_type() -> None:
    with pytest.raises(SourceError, match="int"):
        IterableSource.from_items(5)  # type: ignore[arg-type]


def test_a_path_that_can_not_be_encoded_is_refused_alone_and_keeps_its_name() -> None:
    first, odd, last = IterableSource.from_items(["/a.jpg", "\ud800/\udcff.jpg", "/b.jpg"]).take(3)
    assert [first, last] == refs("/a.jpg", "/b.jpg")
    assert isinstance(odd, Refused)
    assert odd.kind == "unreadable"
    assert path_of(odd) == "\ud800/\udcff.jpg"


@pytest.mark.parametrize("length", [LONGEST_PATH - 1, LONGEST_PATH, LONGEST_PATH + 1, 10**6])
def test_a_path_that_is_too_long_for_a_file_is_cut_and_stays_too_long(length: int) -> None:
    path = "/" + "x" * (length - 1)
    (ref,) = IterableSource.from_items([path]).take(1)
    assert isinstance(ref, FileRef)
    if length <= LONGEST_PATH:
        assert ref.path == path.encode()
    else:
        assert LONGEST_PATH < len(ref.path) < LONGEST_PATH + 9
        assert ref.path == path.encode()[:LONGEST_PATH] + CUT


def test_what_no_message_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MOST_BYTES", 11)
    items: list[Any] = [
        b"x" * 11,
        b"x" * 12,
        bytearray(12),
        memoryview(b"x" * 12),
        np.ones((2, 2, 3), "u1"),
    ]
    kept, *refused = IterableSource.from_items(items).take(9)
    assert kept == Encoded(b"x" * 11)
    assert [getattr(ref, "kind", None) for ref in refused] == ["too_large"] * 4


def test_items_that_are_held_are_taken_together_others_one_by_one() -> None:
    held: list[Any] = [["a"], ("a",), {"a"}, {"a": 1}, np.zeros((1, 4, 4, 3), np.uint8)]
    assert [IterableSource.from_items(items).blocks for items in held] == [False] * 5
    assert IterableSource.from_items(iter(["a"])).blocks


def failing(error: BaseException) -> Iterator[str]:
    yield "/a.jpg"
    yield "/b.jpg"
    raise error


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_error_comes_after_what_came_before_it_and_stays(count: int) -> None:
    source = IterableSource.from_items(failing(LookupError("theirs")))
    taken: list[Any] = []
    with pytest.raises(LookupError, match="theirs"):
        taken.extend(endlessly(source, count))
    assert taken == refs("/a.jpg", "/b.jpg")
    assert not source.exhausted
    with pytest.raises(LookupError, match="theirs"):
        source.take(count)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_comes_at_once_and_costs_no_item(error: type[BaseException]) -> None:
    source = IterableSource.from_items(failing(error()))
    with pytest.raises(error):
        source.take(9)
    assert source.take(9) == refs("/a.jpg", "/b.jpg")
    assert source.exhausted


class Odd:
    """A path whose conversion looks like the end of the items."""

    def __fspath__(self) -> str:
        raise StopIteration


def test_an_item_can_not_end_the_items() -> None:
    source = IterableSource.from_items(["/a.jpg", Odd(), "/b.jpg"])
    assert source.take(9) == refs("/a.jpg")
    with pytest.raises(SourceError, match=r"Odd: .* StopIteration"):
        source.take(9)


@pytest.mark.parametrize("size", [TAKE_BYTES // 3, TAKE_BYTES, 2 * TAKE_BYTES])
def test_of_big_items_few_are_taken_at_once(size: int) -> None:
    source = IterableSource.from_items([bytes(size)] * 9)
    taken = []
    while not source.exhausted:
        refs = source.take(1024)
        assert len(refs) <= -(-TAKE_BYTES // size)
        taken += refs
    assert len(taken) == 9


def test_an_error_behind_big_items_is_raised_after_them() -> None:
    items: list[Any] = [bytes(TAKE_BYTES), bytes(TAKE_BYTES), None, b"behind it"]
    source = IterableSource.from_items(items)
    assert len(source.take(3)) == len(source.take(3)) == 1
    for _ in range(2):  # nothing comes after it
        with pytest.raises(SourceError):
            source.take(3)
        assert not source.exhausted
