from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from farm.cluster.answering import HEADROOM, answered, messages, refused
from farm.cluster.messages import Answered, Answers, Data, Job, Parcel, decode
from farm.results.result import DetectedObject, Prediction
from tests.unit.farm.cluster.test_messages import RUN, result
from workers.protocol.messages import ItemError

PARCEL = Parcel(7, b"a\xff.jpg", Data(b"1"))


def decoded(job: Job, all_answered: list[Answered], most: int) -> list[Answered]:
    found: list[Answered] = []
    for data in messages(job, all_answered, most):
        message = decode(data)
        assert isinstance(message, Answers)
        assert message.run == RUN
        assert len(data) <= most
        found += message.answered
    return found


def test_a_result_travels_as_that_of_its_parcel() -> None:
    here = result(path="/tmp/1", top5=(Prediction(1, "a", 0.5),), attempts=1)
    there = answered(PARCEL, here, "b1", 2)
    assert (there.path, there.result.id, there.result.path) == (PARCEL.path, 7, None)
    assert (there.result.board, there.result.attempts) == ("b1", 3)
    assert there.result.top5 == here.top5


def test_the_output_of_a_task_travels_too() -> None:
    there = answered(PARCEL, result(output={"a": [1, None, 2.5]}), "b1", 0)
    (back,) = decoded(Job(RUN, (PARCEL,)), [there], 1 << 20)
    assert back.output is not None
    assert back.output.value() == {"a": [1, None, 2.5]}
    assert back.result.output is None


def test_a_name_that_is_no_text_in_an_error_does_not_stop_it() -> None:
    there = refused(PARCEL, ItemError("missing", "no \udcff here"), "b1", 0)
    (back,) = decoded(Job(RUN, (PARCEL,)), [there], 1 << 20)
    assert back.result.error == ItemError("missing", "no \\udcff here")


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=20))
def test_no_message_is_too_large_and_nothing_is_lost(sizes: list[int]) -> None:
    most = HEADROOM + 2000
    each = [
        refused(Parcel(n, None, Data(b"")), ItemError("kind", "x" * size), "b", 0)
        for n, size in enumerate(sizes)
    ]
    job = Job(RUN, tuple(Parcel(n, None, Data(b"")) for n in range(len(sizes))))
    back = decoded(job, each, most)
    assert [one.result.id for one in back] == list(range(len(sizes)))
    for one, size in zip(back, sizes, strict=True):
        error = one.result.error
        assert error is not None
        assert error.kind == ("kind" if size < 1700 else error.kind)
        assert error.kind in ("kind", "too_large")


def test_objects_in_a_smaller_copy_are_told_in_the_images_own_pixels() -> None:
    small = DetectedObject(1, "a", 0.5, (10.0, 20.0, 40.0, 60.0))
    parcel = Parcel(7, b"a.jpg", Data(b"1"), (4000, 3000))
    there = answered(parcel, result(objects=(small,), size=(400, 150)), "b1", 0).result
    assert there.size == (4000, 3000)
    assert there.objects == (replace(small, box=(100.0, 400.0, 400.0, 1200.0)),)


def test_what_has_no_place_in_an_image_is_the_same_of_a_smaller_copy() -> None:
    parcel = Parcel(7, b"a.jpg", Data(b"1"), (4000, 3000))
    here = result(top5=(Prediction(1, "a", 0.5),))
    assert answered(parcel, here, "b1", 0).result == answered(PARCEL, here, "b1", 0).result
