"""Batches become answers, in order, each image with its own end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.support import ready, wait_for
from workers.answers import MOST_WAITING, Answers, Inferred, Part
from workers.images.fit import ImageInfo
from workers.protocol import messages as wire
from workers.protocol.messages import Done, ItemError, Ranked
from workers.tasks.classification import Classification
from workers.tasks.task import Answer, Model, Outputs, Task

BROKEN = ItemError("truncated", "its end is missing")


class Outbox:
    """Keeps what is sent, and by which thread."""

    def __init__(self) -> None:
        self.sent: list[wire.Message] = []
        self.threads: set[str] = set()

    def send(self, message: wire.Message) -> None:
        self.sent.append(message)
        self.threads.add(threading.current_thread().name)


INFO = ImageInfo(6, 4, (1.0, 1.0), (0.0, 0.0))


def answered(*parts: Part, task: Task | None = None) -> Outbox:
    outbox = Outbox()
    task = task or Classification("auto", Model("net", (scores(0.5, 0.25, 0.25),), 6, 4))
    answers = Answers(ready(classes=3), task, cast(Any, outbox))
    for part in parts:
        answers.put(part)
    answers.close()
    return outbox


def image(item: int, result: npt.NDArray[Any] | ItemError) -> Inferred:
    return Inferred(
        item=item,
        result=result if isinstance(result, ItemError) else ((result,), INFO),
        decode_began=1.0,
        decode_ended=1.5,
        infer_began=2.0,
        infer_ended=4.0,
    )


def scores(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def test_each_image_of_a_batch_gets_its_own_answer() -> None:
    images = [image(4, scores(0.25, 0.5, 0.25)), image(2, BROKEN), image(9, scores(0, 0, 1))]
    (done,) = answered(Part(7, images, True)).sent
    assert isinstance(done, Done)
    assert (done.worker, done.generation, done.batch) == (3, 2, 7)
    assert [(each.item, each.answer, each.error) for each in done.outcomes] == [
        (4, Ranked(((1, 0.5), (0, 0.25), (2, 0.25))), None),
        (2, None, BROKEN),
        (9, Ranked(((2, 1.0),)), None),
    ]


def test_times_are_those_of_the_image() -> None:
    (done,) = answered(Part(7, [image(4, scores(0, 0, 1))], True)).sent
    assert isinstance(done, Done)
    (found,) = done.outcomes
    told = (found.started, found.decode_ms, found.wait_ms, found.infer_ms)
    assert told == (1.0, 500.0, 500.0, 2000.0)


def test_scores_that_are_no_answer_cost_only_their_image() -> None:
    images = [image(0, scores(np.nan, 0, 0)), image(1, scores(0, 1, 0)), image(2, scores(5, 0, 0))]
    (done,) = answered(Part(7, images, True)).sent
    assert isinstance(done, Done)
    assert [each.error and each.error.kind for each in done.outcomes] == [
        "bad_output",
        None,
        "bad_output",
    ]


def test_a_batch_of_errors_alone_is_answered() -> None:
    (done,) = answered(Part(7, [image(0, BROKEN)], True)).sent
    assert isinstance(done, Done)
    assert [each.error for each in done.outcomes] == [BROKEN]


def test_close_waits_for_all_that_was_put_and_one_thread_sends() -> None:
    batches = [Part(number, [image(0, scores(0, 1, 0))], True) for number in range(50)]
    outbox = answered(*batches)
    assert [done.batch for done in outbox.sent if isinstance(done, Done)] == list(range(50))
    assert outbox.threads == {"answers"}


class Slow:
    """A task that answers nothing until it may."""

    classes = 0
    reading = ""

    def __init__(self) -> None:
        self.may = threading.Event()

    def answer(self, images: Sequence[tuple[Outputs, ImageInfo]]) -> list[Answer | ItemError]:
        self.may.wait()
        return [ItemError("task_failed", "as asked")] * len(images)


def test_a_batch_of_several_parts_is_sent_once_it_is_whole() -> None:
    parts = [
        Part(7, [image(0, scores(0, 1, 0))], False),
        Part(8, [image(1, BROKEN)], True),
        Part(7, [image(2, BROKEN)], True),
    ]
    sent = [done for done in answered(*parts).sent if isinstance(done, Done)]
    assert [(done.batch, [each.item for each in done.outcomes]) for done in sent] == [
        (8, [1]),
        (7, [0, 2]),
    ]


def test_outputs_do_not_pile_up_before_a_slow_task() -> None:
    task, put = Slow(), []
    answers = Answers(ready(classes=0), task, cast(Any, Outbox()))

    def feed() -> None:
        for number in range(MOST_WAITING + 5):
            answers.put(Part(number, [image(0, scores(1))], True))
            put.append(number)

    feeder = threading.Thread(target=feed)
    feeder.start()
    assert wait_for(lambda: len(put) == MOST_WAITING + 1)  # one is in work
    assert feeder.is_alive()
    task.may.set()
    feeder.join()
    answers.close()
    assert len(put) == MOST_WAITING + 5


def test_the_time_of_a_task_is_shared_by_the_images_that_it_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 10.5])
    # Not of the module itself, which other threads ask, too.
    monkeypatch.setattr("workers.answers.time", SimpleNamespace(monotonic=lambda: next(clock)))
    (done,) = answered(
        Part(7, [image(0, scores(0, 1, 0)), image(1, BROKEN), image(2, scores(0, 1, 0))], True)
    ).sent
    assert isinstance(done, Done)
    assert [each.task_ms for each in done.outcomes] == [250.0, 0.0, 250.0]
