"""What a user is told of workers: each thing once, with the fields that programs look for."""

from __future__ import annotations

import logging

import pytest

from farm.coordinator.notices import Notices
from tests.helpers.told import Told
from workers.runtimes.base import ONNX, RKNN

KNOWN = "failed to submit!"  # an error that hardware/known_errors.py explains


@pytest.fixture
def told() -> Told:
    return Told()


def test_each_event_names_its_worker(told: Told) -> None:
    notices = Notices(told, ONNX)
    notices.died(1, "SIGKILL", 0.1)
    notices.back(1)
    notices.replaced(2, 300.0, 250.0)
    notices.given_up(0, "SIGKILL", "7 times in 12 s")
    notices.stuck(3, 4242)
    with notices:
        pass
    assert told.events == [
        ("worker_died", 1),
        ("worker_back", 1),
        ("worker_replaced", 2),
        ("worker_given_up", 0),
        ("worker_stuck", 3),
    ]
    facts = [("SIGKILL", "0.1 s"), (), ("300 MB", "250 MB"), ("7 times in 12 s",), ("4242",)]
    for message, each in zip(told, facts, strict=True):
        assert [fact for fact in each if fact not in message] == []


def test_a_reason_that_several_workers_have_is_told_once(told: Told) -> None:
    notices = Notices(told, ONNX)
    notices.start_failed(0, "no such model")
    notices.start_failed(2, "no such model")
    notices.start_failed(1, "another reason")
    with notices:
        pass
    assert told.events == [("worker_start_failed", worker) for worker in (0, 2, 1)]
    assert ["no such model" in message for message in told] == [True, False, False]


def test_a_core_is_left_out_once(told: Told) -> None:
    notices = Notices(told, RKNN)
    notices.left_out((1,), {0, 2})
    notices.left_out((1, 2), {0})
    with notices:
        pass
    assert told.events == [("npu_core_left_out", 1), ("npu_core_left_out", 2)]


def test_a_known_error_is_explained_once_and_on_an_npu_only(told: Told) -> None:
    for runtime in (RKNN, ONNX):
        notices = Notices(told, runtime)
        with notices:
            notices.died(0, KNOWN, 0.1)
            notices.died(1, KNOWN, 0.1)
    explained = [event for event, _ in told.events].count("known_error")
    assert explained == 1


def test_they_wait_for_the_end_of_the_step_and_a_handler_that_raises_keeps_none_back(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices = Notices(told, ONNX)
    handle = told.handle

    def raising(record: logging.LogRecord) -> None:
        handle(record)
        raise OSError(record.getMessage())

    monkeypatch.setattr(told, "handle", raising)

    def step() -> None:
        with notices:
            for worker in range(3):
                notices.back(worker)
            assert told.events == []

    with pytest.raises(OSError, match="worker 2"):
        step()
    with notices:
        pass
    assert told.events == [("worker_back", worker) for worker in range(3)]
