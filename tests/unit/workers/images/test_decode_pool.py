"""The threads that decode: where they run, and after whom."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.helpers.support import wait_for
from workers.images.decode_pool import DECODER_NICE, MOST_AHEAD_BYTES, DecodePool, Job
from workers.images.fit import ImageInfo
from workers.protocol.messages import Encoded, Item, ItemError, Pixels
from workers.protocol.spec import EXACT, LETTERBOX, NHWC, UINT8, InputSpec

INFO = ImageInfo(4, 2, (1.0, 1.0), (0.0, 0.0))


def test_decoders_run_on_their_own_cpus_below_the_runtime_and_leave_that_where_it_is() -> None:
    before, nice = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
    cpu = max(before)
    known = {thread.native_id for thread in threading.enumerate()}
    decoders = DecodePool(2, (cpu,), InputSpec(width=8, height=8, layout=NHWC, dtype=UINT8), EXACT)
    begun = {t.native_id for t in threading.enumerate() if t.native_id} - known
    assert len(begun) == 2
    assert wait_for(lambda: all(os.sched_getaffinity(t or 0) == {cpu} for t in begun), within=5)
    lower = min(19, nice + DECODER_NICE)
    assert wait_for(
        lambda: all(os.getpriority(os.PRIO_PROCESS, t or 0) == lower for t in begun), within=5
    )
    assert os.sched_getaffinity(0) == before
    assert os.getpriority(os.PRIO_PROCESS, 0) == nice
    decoders.close()
    assert wait_for(lambda: not any(Path(f"/proc/self/task/{t}").exists() for t in begun), within=5)


def test_a_tensor_comes_with_where_its_image_is_and_an_error_without() -> None:
    spec = InputSpec(width=8, height=8, layout=NHWC, dtype=UINT8, fit=LETTERBOX)
    decoders = DecodePool(1, tuple(os.sched_getaffinity(0)), spec, EXACT)
    decoders.put(Job(0, Item(0, Pixels(bytes(4 * 2 * 3), 2, 4))))
    decoders.put(Job(0, Item(1, Encoded(b""))))
    good, bad = decoders.get(), decoders.get()
    assert isinstance(good.result, tuple)
    assert good.result[1] == ImageInfo(4, 2, (2.0, 2.0), (0.0, 2.0), None)
    assert isinstance(bad.result, ItemError)
    decoders.close()


@pytest.mark.parametrize(("side", "count", "most"), [(8, 1, 10), (4096, 1, 2), (4096, 2, 4)])
def test_decoders_are_not_further_ahead_than_there_is_room_for_tensors(
    monkeypatch: pytest.MonkeyPatch, side: int, count: int, most: int
) -> None:
    spec = InputSpec(width=side, height=side, layout=NHWC, dtype=UINT8)
    assert side == 8 or 2 * side * side * 3 > MOST_AHEAD_BYTES
    begun: list[object] = []

    def load(source: object, *_: object) -> tuple[None, ImageInfo]:
        begun.append(source)
        return None, INFO

    monkeypatch.setattr("workers.images.preprocess.load", load)
    decoders = DecodePool(count, tuple(os.sched_getaffinity(0)), spec, EXACT)
    for number in range(10):
        decoders.put(Job(0, Item(number, Encoded(b""))))
    assert wait_for(lambda: len(begun) == most)
    for taken in range(1, 11):
        assert not wait_for(lambda: len(begun) > most + taken - 1, within=0.02)  # noqa: B023
        decoders.get()
    assert len(begun) == 10
    decoders.close()
