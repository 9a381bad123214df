"""Items of any thread, each with a future: what a server needs, beside the runs that are pulled."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from farm.api.mailbox import Mailbox
from farm.api.room import Bound, Room
from farm.api.run import Run
from farm.api.running_farm import RunningFarm
from farm.errors import BusyError, FarmError, StartError
from farm.results.result import Result
from farm.sources.base import Item, Ref, to_ref
from farm.system.process_limits import WHY
from workers.protocol.messages import Encoded, Pixels

CLOSED: Final = "the farm is no longer up"


@dataclass(slots=True, eq=False)
class Ticket:
    """An item on its way: its future, and its number once the farm has it."""

    ref: Ref
    size: int
    future: Future[Result]
    number: int | None = None


class Submitter:
    """Submits items of any thread to a farm, which a thread of this one drives.

    It is the source of one run: what is pushed is there at once, and wakes the coordinator by an
    eventfd. `lost` ends with the error once the farm can't go on.
    """

    blocks = False
    total: int | None = None

    def __init__(self, farm: RunningFarm, bound: Bound) -> None:
        self._farm = farm
        self._room = Room(bound)
        self._lock = threading.RLock()  # of the queues' end: nothing is pushed after it
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._pushed: deque[Ticket] = deque()
        self._cancelled: deque[Ticket] = deque()
        self._held: dict[int, Ticket] = {}  # by number; the driving thread's alone
        self._next_number = 0
        self._mailboxes: dict[asyncio.AbstractEventLoop, Mailbox] = {}
        self._closed = False
        self._error: FarmError | None = None
        self.lost: Future[None] = Future()
        with farm.entered():
            self._run = Run(farm, self, eager=True)
        self._thread = threading.Thread(target=self._drive, name="npu-farm", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # which is how Python says EAGAIN here
            os.close(self._wake)
            raise StartError(WHY[errno.EAGAIN]) from error

    @property
    def fds(self) -> tuple[int, ...]:
        """See Source.fds."""
        return (self._wake,)

    @property
    def exhausted(self) -> bool:
        """See Source.exhausted."""
        return self._closed and not self._pushed

    def take(self, count: int) -> list[Ref]:
        """See Source.take; numbers tickets as the run numbers its items."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._withdraw()
        taken: list[Ref] = []
        while self._pushed and len(taken) < count:
            ticket = self._pushed.popleft()
            if ticket.future.cancelled():
                ticket.future.set_running_or_notify_cancel()
            else:
                ticket.number, self._next_number = self._next_number, self._next_number + 1
                self._held[ticket.number] = ticket
                taken.append(ticket.ref)
        return taken

    def submit(self, item: Item, timeout: float | None) -> Future[Result]:
        """See Farm.submit."""
        ref, size = _sized(item)
        entered = self._room.enter(size)
        if entered is not None:
            # In this farm's own thread, a callback's, nobody else would make room.
            patience = 0.0 if threading.current_thread() is self._thread else timeout
            try:
                entered.result(patience)
            except FutureTimeoutError:
                self._check_entered(entered)
            except BaseException:  # of a signal's handler
                self._give_up(entered, size)
                raise
        future = self._push(ref, size)
        self._wake_up()
        return future

    def submit_soon(self, item: Item) -> asyncio.Future[Result]:
        """See Farm.submit_soon."""
        ref, size = _sized(item)
        if (entered := self._room.enter(size)) is not None:
            self._check_entered(entered)
        return self._push_soon(ref, size)

    async def asubmit(self, item: Item, timeout: float | None) -> Result:
        """See Farm.asubmit."""
        ref, size = _sized(item)
        entered = self._room.enter(size)
        if entered is not None:
            try:
                await asyncio.wait((asyncio.wrap_future(entered),), timeout=timeout)
            except BaseException:  # it was cancelled
                self._give_up(entered, size)
                raise
            self._check_entered(entered)
        return await self._push_soon(ref, size)

    def finish(self) -> None:
        """Take in nothing more, and wait until all that was submitted has ended."""
        self._closed = True
        self._wake_up()
        self._thread.join()

    def join(self, seconds: float) -> None:
        """Wait for the thread, whose farm is closed; raises FarmError if it does not end."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise FarmError(f"a callback of a future has not returned for {seconds:g} s")
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def _check_entered(self, entered: Future[None]) -> None:
        """Raise BusyError if there is no room after all."""
        if entered.cancel():
            raise BusyError("the farm is busy: as much as may wait is waiting already")

    def _give_up(self, entered: Future[None], size: int) -> None:
        """Wait for room no longer; what has been let in gives it back."""
        if not entered.cancel():
            self._room.leave(size)

    def _push(self, ref: Ref, size: int) -> Future[Result]:
        ticket = Ticket(ref, size, Future())
        ticket.future.add_done_callback(lambda _: self._leave(ticket))
        with self._lock:
            error = self._error
            if error is None:
                self._pushed.append(ticket)
        if error is not None:
            self._room.leave(size)
            raise error.with_traceback(None)  # or it would grow with each
        return ticket.future

    def _push_soon(self, ref: Ref, size: int) -> asyncio.Future[Result]:
        """Push an item of the running loop; all of one turn of it go to workers together."""
        loop = asyncio.get_running_loop()
        if (mailbox := self._mailboxes.get(loop)) is None:
            living = {each: box for each, box in self._mailboxes.items() if not each.is_closed()}
            mailbox = Mailbox(loop, self._wake_up)
            self._mailboxes = {**living, loop: mailbox}
        waiter = mailbox.wrap(self._push(ref, size))
        mailbox.wake_farm_soon()
        return waiter

    def _leave(self, ticket: Ticket) -> None:
        """Take in, in any thread, that a future is done or cancelled."""
        self._room.leave(ticket.size)
        if ticket.future.cancelled():
            self._cancelled.append(ticket)
            self._wake_up()

    def _wake_up(self) -> None:
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _withdraw(self) -> None:
        """Let the dispatcher forget what was cancelled; what workers hold is dropped later."""
        numbers = set()
        while self._cancelled:
            ticket = self._cancelled.popleft()
            if ticket.number in self._held:
                numbers.add(ticket.number)
                self._held.pop(ticket.number).future.set_running_or_notify_cancel()
        if numbers:
            self._run.withdraw(frozenset(numbers))

    def _drive(self) -> None:
        """Poll the run until it ends; nobody waits for a future for ever, whatever happens."""
        error: FarmError | None = None
        try:
            while not self._run.ended:
                for result in self._run.poll():
                    ticket = self._held.pop(result.id, None)
                    if ticket is not None and ticket.future.set_running_or_notify_cancel():
                        ticket.future.set_result(result)
                self._farm.coordinator.health.check()
        except FarmError as raised:
            error = None if self._farm.leaving.given else raised
        except Exception as raised:
            error = FarmError(f"the thread that drives the farm has failed: {raised!r}")
            error.__cause__ = raised
        with self._lock:
            self._closed, self._error = True, error or FarmError(CLOSED)
        for ticket in (*self._pushed, *self._held.values()):
            if ticket.future.set_running_or_notify_cancel():
                ticket.future.set_exception(self._error)
        if error is None:
            self.lost.set_result(None)
        else:
            self.lost.set_exception(error)


def _sized(item: Item) -> tuple[Ref, int]:
    """Return the reference to an item, and how many bytes it carries."""
    ref = to_ref(item)
    return ref, len(ref.data) if isinstance(ref, (Encoded, Pixels)) else 0
