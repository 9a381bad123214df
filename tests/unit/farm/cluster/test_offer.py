from __future__ import annotations

import msgspec
import pytest

from farm.cluster.messages import VERSION
from farm.cluster.offer import Offer, Wish, choose
from farm.errors import NoBoardError

OFFER = Offer(
    name="glyphs",
    model="aaaabbbbcccc",
    task="classify",
    reading="scores",
    labels="l1",
    settings="s1",
    simulated=False,
    platform="rk3588",
    by_path=False,
)
OTHER_FILE = msgspec.structs.replace(OFFER, model="ddddeeeeffff", platform="rk3576")
OTHER_MODEL = msgspec.structs.replace(OFFER, name="photos", model="111122223333")
BY_PATH = msgspec.structs.replace(OFFER, by_path=True)


def test_a_run_without_wishes_gets_the_only_model() -> None:
    choice = choose(Wish(), [OFFER, OFFER, BY_PATH])
    assert choice.offer == OFFER
    assert choice.queue in OFFER.queues()
    assert choice.queue in BY_PATH.queues()


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"labels": None},
        {"settings": "s2"},
        {"task": "detect"},
        {"simulated": True},
        {"reading": "softmax"},
        {"name": "n"},
        {"version": VERSION + 1},
    ],
)
def test_what_changes_answers_is_another_queue(change: dict[str, object]) -> None:
    other = msgspec.structs.replace(OFFER, **change)
    queue = choose(Wish(), [OFFER]).queue
    assert queue not in other.queues()


def test_where_it_runs_and_whether_by_path_are_not() -> None:
    assert set(OFFER.queues()) < set(BY_PATH.queues())
    assert OFFER.queues() == msgspec.structs.replace(OFFER, platform="rk3582").queues()


def test_files_of_one_model_for_several_socs_are_one_by_its_name_only() -> None:
    boards = [OFFER, OTHER_FILE]
    with pytest.raises(NoBoardError, match="different"):
        choose(Wish(), boards)
    queue = choose(Wish(model="glyphs"), boards).queue
    assert all(queue in each.queues() for each in boards)
    exact = choose(Wish(model="ddddee"), boards)
    assert exact.offer == OTHER_FILE
    assert exact.queue not in OFFER.queues()


def test_bytes_and_paths_do_not_meet() -> None:
    by_path = choose(Wish(by_path=True), [OFFER, BY_PATH])
    assert by_path.offer == BY_PATH
    assert by_path.queue not in OFFER.queues()
    assert by_path.queue != choose(Wish(), [OFFER, BY_PATH]).queue


@pytest.mark.parametrize(
    ("wish", "boards"),
    [
        (Wish(), []),
        (Wish(model="photos"), [OFFER]),
        (Wish(model="aaaab"), [OFFER]),  # too short for a hash
        (Wish(task="detect"), [OFFER]),
        (Wish(labels="l2"), [OFFER]),
        (Wish(by_path=True), [OFFER]),
        (Wish(), [OFFER, OTHER_MODEL]),
        (Wish(), [msgspec.structs.replace(OFFER, version=VERSION + 1)]),
    ],
)
def test_what_nobody_serves_and_what_is_unclear_is_refused_with_what_there_is(
    wish: Wish, boards: list[Offer]
) -> None:
    with pytest.raises(NoBoardError) as raised:
        choose(wish, boards)
    assert all(each.name in str(raised.value) for each in boards)


SIMULATED = msgspec.structs.replace(OFFER, model="", simulated=True)


def test_a_simulated_npu_counts_only_alone_or_by_name() -> None:
    assert choose(Wish(), [SIMULATED, OFFER]).offer == OFFER
    assert choose(Wish(model="glyphs"), [SIMULATED, OFFER, OTHER_FILE]).offer == OFFER
    assert choose(Wish(model="simulated"), [SIMULATED, OFFER]).offer == SIMULATED
    assert choose(Wish(), [SIMULATED]).offer == SIMULATED


@pytest.mark.parametrize(
    ("wish", "boards", "told"),
    [
        (Wish(by_path=True), [OFFER], "--by-path"),
        (Wish(), [OFFER, OTHER_FILE], "--model"),
        (Wish(), [OFFER, msgspec.structs.replace(OFFER, task="detect")], "--task"),
        (Wish(), [OFFER, msgspec.structs.replace(OFFER, labels="l2")], "--labels"),
        (Wish(), [OFFER, msgspec.structs.replace(OFFER, settings="s2")], "max_pixels"),
        (Wish(), [], "npu-farm join"),
    ],
)
def test_a_refusal_says_what_to_do(wish: Wish, boards: list[Offer], told: str) -> None:
    with pytest.raises(NoBoardError) as raised:
        choose(wish, boards)
    assert told in str(raised.value)
    flags = {"--model", "--task", "--labels", "max_pixels"} - {told}
    assert not any(flag in str(raised.value) for flag in flags)


def test_boards_that_read_outputs_differently_are_not_one_by_name() -> None:
    """A task of the user's may be another version on each."""
    other = msgspec.structs.replace(OTHER_FILE, reading="another version")
    with pytest.raises(NoBoardError, match="differ"):
        choose(Wish(model="glyphs"), [OFFER, other])
