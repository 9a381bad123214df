"""The answers of one run in what comes from a hub: checked; and how a hub forgets them."""

from __future__ import annotations

from contextlib import suppress

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from farm.cluster import names
from farm.cluster.messages import Answers, decode
from farm.cluster.soundness import is_of
from farm.errors import HubError


def answers_in(message: Msg, run: str, task: str) -> Answers:
    """Return the answers of a run in a message; raises HubError for what is none."""
    answers = decode(message.data)
    if not isinstance(answers, Answers) or answers.run != run:
        raise HubError("it is not of this run")
    if not all(is_of(task, each.result) for each in answers.answered):
        raise HubError(f"it has answers of another task than {task}")
    return answers


async def forget_results(js: JetStreamContext, run: str) -> None:
    """Remove what the hub has of a run's results; raises what the client of NATS raises."""
    await js.purge_stream(names.RESULTS, subject=names.result_subject(run))
    with suppress(NotFoundError):
        await js.delete_consumer(names.RESULTS, names.run_consumer(run))
