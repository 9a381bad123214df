"""Batches become answers, in order, each image with its own end."""

from __future__ import annotations

import threading
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from tests.helpers.support import ready
from workers.answers import Answers, BatchWork, Inferred
from workers.protocol import messages as wire
from workers.protocol.messages import Done, ItemError, Ranked

BROKEN = ItemError("truncated", "its end is missing")


class Outbox:
    """Keeps what is sent, and by which thread."""

    def __init__(self) -> None:
        self.sent: list[wire.Message] = []
        self.threads: set[str] = set()

    def send(self, message: wire.Message) -> None:
        self.sent.append(message)
        self.threads.add(threading.current_thread().name)


def answered(*batches: BatchWork) -> Outbox:
    outbox = Outbox()
    answers = Answers(ready(classes=3), cast(Any, outbox))
    for batch in batches:
        answers.put(batch)
    answers.close()
    return outbox


def image(item: int, result: npt.NDArray[Any] | ItemError) -> Inferred:
    return Inferred(
        item=item,
        result=result,
        decode_began=1.0,
        decode_ended=1.5,
        infer_began=2.0,
        infer_ended=4.0,
    )


def scores(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def test_each_image_of_a_batch_gets_its_own_answer() -> None:
    images = [image(4, scores(0.25, 0.5, 0.25)), image(2, BROKEN), image(9, scores(0, 0, 1))]
    (done,) = answered(BatchWork(7, 3, images)).sent
    assert isinstance(done, Done)
    assert (done.worker, done.generation, done.batch) == (3, 2, 7)
    assert [(each.item, each.answer, each.error) for each in done.outcomes] == [
        (4, Ranked(((1, 0.5), (0, 0.25), (2, 0.25))), None),
        (2, None, BROKEN),
        (9, Ranked(((2, 1.0),)), None),
    ]


def test_times_are_those_of_the_image() -> None:
    (done,) = answered(BatchWork(7, 1, [image(4, scores(0, 0, 1))])).sent
    assert isinstance(done, Done)
    (found,) = done.outcomes
    told = (found.started, found.decode_ms, found.wait_ms, found.infer_ms)
    assert told == (1.0, 500.0, 500.0, 2000.0)


def test_scores_that_are_no_answer_cost_only_their_image() -> None:
    images = [image(0, scores(np.nan, 0, 0)), image(1, scores(0, 1, 0)), image(2, scores(5, 0, 0))]
    (done,) = answered(BatchWork(7, 3, images)).sent
    assert isinstance(done, Done)
    assert [each.error and each.error.kind for each in done.outcomes] == [
        "bad_output",
        None,
        "bad_output",
    ]


def test_a_batch_of_errors_alone_is_answered() -> None:
    (done,) = answered(BatchWork(7, 1, [image(0, BROKEN)])).sent
    assert isinstance(done, Done)
    assert [each.error for each in done.outcomes] == [BROKEN]


def test_close_waits_for_all_that_was_put_and_one_thread_sends() -> None:
    batches = [BatchWork(number, 1, [image(0, scores(0, 1, 0))]) for number in range(50)]
    outbox = answered(*batches)
    assert [done.batch for done in outbox.sent if isinstance(done, Done)] == list(range(50))
    assert outbox.threads == {"answers"}
