"""Each image that is sent has one result, whatever the hub delivers, and how often."""

from __future__ import annotations

from collections import Counter
from typing import Final

import hypothesis.strategies as st
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from farm.cluster.events import Key
from farm.cluster.ledger import MOST_GONE, MOST_UNPACKED, PARTS, Bound, Ledger
from farm.cluster.messages import Answered, Answers
from farm.sources.base import path_ref
from tests.helpers.results import result
from workers.protocol.messages import ItemError

RUN: Final = "0" * 20
NEVER_SENT: Final = 10**9
BOUND: Final = Bound(images=40, bytes=4000)


def answers(*numbers: int) -> Answers:
    found = tuple(Answered(None, result(id=number, path=None), None) for number in numbers)
    return Answers(RUN, found)


def key(number: int, *, since: float = 0.0) -> Key:
    """A message's key; a hub that has lost its disk gives numbers again, later."""
    return number, since


class Hub(RuleBasedStateMachine):
    """A sender and its ledger, a hub that delivers as it likes, a writer that is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.count = self.jobs = self.messages = 0
        self.sent: list[int] = []  # not in the hub yet
        self.stored: list[int] = []
        self.delivered: dict[Key, Answers] = {}
        self.received: list[int] = []
        self.written: Counter[int] = Counter()
        self.missed: set[int] = set()  # at the last look
        self.came_in: dict[int, Key] = {}
        self.finished: set[Key] = set()
        self.dropped: set[int] = set()

    @rule(wanted=st.integers(1, 16))
    def send(self, wanted: int) -> None:
        for _ in range(self.ledger.room(BOUND, wanted)):
            self.ledger.send(self.count, path_ref(f"/{self.count}"), 0.0)
            self.sent.append(self.count)
            self.count += 1

    @precondition(lambda self: self.sent)
    @rule(size=st.integers(0, 500))
    def store(self, size: int) -> None:
        number = self.sent.pop(0)
        self.stored.append(number)
        self.jobs += 1
        self.missed.discard(number)
        self.ledger.store(self.jobs, {number: size})

    @precondition(lambda self: self.sent)
    @rule()
    def refuse(self) -> None:
        number = self.sent.pop()
        self.ledger.refuse(number)
        self.received.append(number)

    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        """Any answers: of images that are not even stored yet, double, of none of ours."""
        known = st.sampled_from([*range(self.count), NEVER_SENT])
        numbers = data.draw(st.lists(known, min_size=1, max_size=4))
        self.messages += 1
        self.deliver(key(self.messages), answers(*numbers))

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def receive_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.delivered)))
        self.deliver(number, self.delivered[number])

    def deliver(self, message: Key, what: Answers) -> None:
        self.delivered[message] = what
        for sent, answered in self.ledger.receive(message, what):
            number = answered.result.id
            assert sent.ref == path_ref(f"/{number}")
            self.received.append(number)
            self.came_in[number] = message
            self.sent = [each for each in self.sent if each != number]
            self.stored = [each for each in self.stored if each != number]

    @precondition(lambda self: self.received)
    @rule(first=st.booleans())
    def write(self, first: bool) -> None:
        number = self.received.pop(0 if first else -1)
        self.ledger.write(number)
        self.written[number] += 1

    @rule()
    def acknowledge(self) -> None:
        finished = set(self.ledger.finished())
        needed = {self.came_in.get(number) for number in self.received}
        assert not finished & needed  # or a sender that is killed now loses a result
        self.finished |= finished
        assert {*self.delivered} - {*self.finished} <= needed  # or the hub keeps it for ever

    @rule(found=st.booleans())
    def look(self, found: bool) -> None:
        """What the hub had not at the look before, either, is sent again."""
        if found:
            self.ledger.found()
            self.missed = set()
            return
        lost = self.ledger.lost()
        expected = self.missed & set(self.stored)
        self.missed = set(self.stored) - expected
        assert {number for number, _ in lost} == expected
        assert all(ref == path_ref(f"/{number}") for number, ref in lost)
        self.sent += expected
        self.stored = [number for number in self.stored if number not in expected]

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        self.ledger.withdraw(data.draw(st.integers(0, self.jobs)))
        self.dropped |= {*self.sent, *self.stored}
        kept = self.ledger.outstanding
        assert kept <= len(self.stored)
        self.sent, self.stored = [], self.stored[:kept]  # the oldest jobs are those with boards
        self.dropped -= set(self.stored)

    @invariant()
    def each_image_is_in_one_place(self) -> None:
        assert self.ledger.outstanding == len(self.sent) + len(self.stored)
        assert self.ledger.unwritten == len(self.received)
        assert all(count == 1 for count in self.written.values())
        all_of_them = [*self.sent, *self.stored, *self.received, *self.written, *self.dropped]
        assert sorted(all_of_them) == list(range(self.count))

    @invariant()
    def what_is_outstanding_is_bounded(self) -> None:
        assert self.ledger.outstanding + self.ledger.unwritten <= BOUND.images
        assert self.ledger.bytes >= 0
        assert not (self.ledger.bytes and not self.stored)


TestLedger = Hub.TestCase


@given(st.integers(1, 16), st.integers(1, 200_000))
def test_images_so_large_that_few_fit_go_in_small_jobs_and_never_wait_for_ever(
    wanted: int, size: int
) -> None:
    ledger = Ledger()
    for number in range(300):
        if not ledger.room(BOUND, wanted):
            break
        ledger.send(number, path_ref("/a"), 0.0)
        ledger.store(number, {number: size})
    held = ledger.outstanding
    assert 0 < held <= max(BOUND.images, 1)
    for number in range(held):
        ledger.receive(key(number), answers(number))
        ledger.write(number)
    assert 0 < ledger.room(BOUND, wanted) <= wanted
    if ledger.mean * PARTS > BOUND.bytes:
        assert ledger.room(BOUND, wanted) == 1


def test_no_more_is_read_ahead_than_is_known_to_fit() -> None:
    ledger = Ledger()
    bound = Bound(images=10**6, bytes=10**12)
    while room := ledger.room(bound, 16):
        for _ in range(room):
            ledger.send(ledger.outstanding, path_ref("/a"), 0.0)
    assert ledger.outstanding == MOST_UNPACKED


def test_what_the_hub_has_lost_is_sent_again_and_what_may_be_on_its_way_is_not() -> None:
    ledger = Ledger()
    for number in range(4):
        ledger.send(number, path_ref(f"/{number}"), 0.0)
    ledger.store(1, {0: 10, 1: 10})
    assert ledger.lost() == []  # their answers may be on their way
    ledger.store(2, {2: 10})  # after that look; 3 is not in the hub yet
    ledger.receive(key(1), answers(1))
    assert ledger.lost() == [(0, path_ref("/0"))]
    assert ledger.bytes == 10
    ledger.found()
    assert ledger.lost() == []
    ledger.store(3, {0: 10})
    ledger.receive(key(2), answers(0, 2))
    assert (ledger.outstanding, ledger.bytes) == (1, 0)


def test_an_image_that_a_board_did_not_find_in_the_hub_is_sent_again_but_not_for_ever() -> None:
    ledger = Ledger()
    ledger.send(0, path_ref("/0"), 0.0)
    gone = Answered(None, result(id=0, path=None, error=ItemError("gone", "")), None)
    for message in range(MOST_GONE):
        ledger.store(message, {0: 10})
        assert ledger.receive(key(message), Answers(RUN, (gone,))) == []
        assert ledger.finished() == [key(message)]
        ledger.lost()
        assert ledger.lost() == [(0, path_ref("/0"))]
    ((sent, answered),) = ledger.receive(key(9), Answers(RUN, (gone,)))
    assert (sent.ref, answered) == (path_ref("/0"), gone)
    assert ledger.outstanding == 0


def test_a_message_that_comes_again_is_kept_until_its_results_are_written() -> None:
    ledger = Ledger()
    for number in range(2):
        ledger.send(number, path_ref("/a"), 0.0)
    assert len(ledger.receive(key(1), answers(0, 1))) == 2
    assert ledger.receive(key(1), answers(0, 1)) == []
    ledger.write(0)
    assert ledger.finished() == []
    ledger.write(1)
    assert ledger.finished() == [key(1)]
    assert ledger.receive(key(1), answers(0, 1)) == []  # its acknowledgement was lost
    assert ledger.finished() == [key(1)]
    assert ledger.strays == 2


def test_a_hub_that_counts_anew_is_not_taken_for_one_that_says_the_same_again() -> None:
    ledger = Ledger()
    for number in range(2):
        ledger.send(number, path_ref("/a"), 0.0)
    assert len(ledger.receive(key(1), answers(0))) == 1
    assert len(ledger.receive(key(1, since=5.0), answers(1))) == 1
    ledger.write(1)
    assert ledger.finished() == [key(1, since=5.0)]
