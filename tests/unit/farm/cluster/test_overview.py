from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec
from nats.js.api import ConsumerConfig, ConsumerInfo, StreamConfig, StreamInfo, StreamState

from farm.cluster import names
from farm.cluster.overview import Model, Overview, Run, Store, models, overview
from farm.cluster.roster import Roster, Seen
from tests.helpers.presences import a_board

ROCK, SLOW = a_board("rock"), a_board("slow", simulated=True, model="net", rate=10.0)
NOBODYS, RUN, OTHER = "0" * 24, "a" * 20, "b" * 20


def info(subjects: dict[str, int], used: int = 0) -> StreamInfo:
    state = StreamState(
        messages=0, bytes=used, first_seq=0, last_seq=0, consumer_count=0, subjects=subjects
    )
    return StreamInfo(config=StreamConfig(max_bytes=1000), state=state)


def consumer(name: str, in_flight: int) -> ConsumerInfo:
    return ConsumerInfo(
        name=name,
        stream_name=names.JOBS,
        config=ConsumerConfig(),
        created=datetime.now(timezone.utc),
        num_ack_pending=in_flight,
    )


def seen(jobs: dict[str, int], results: dict[str, int], *consumers: ConsumerInfo) -> Overview:
    infos = {"jobs": info(jobs, used=500), "results": info(results)}
    return overview(Roster((Seen(ROCK, 1.0), Seen(SLOW, 2.0)), {"no": 3}), infos, consumers, 5.0)


def model(**changes: Any) -> Model:
    values = {"simulated": False, "boards": 1, "rate": 812.5, "waiting": 0, "in_flight": 0}
    return Model(**{"model": "glyphs", **values, **changes})


def test_jobs_count_for_the_model_of_their_queue() -> None:
    exact, by_name = ROCK.offer.queues()
    found = seen(
        {
            names.job_subject(exact, RUN): 5,
            names.job_subject(by_name, OTHER): 3,
            names.job_subject(NOBODYS, RUN): 7,
        },
        {},
        consumer(names.queue_consumer(exact), 4),
    )
    assert models(found) == [
        model(waiting=4, in_flight=4),
        model(model="net", simulated=True, rate=10.0),
        model(model=None, boards=0, rate=0, waiting=7),
    ]


def test_no_more_jobs_are_in_flight_than_there_are() -> None:
    """The hub is asked for both, one after the other."""
    (exact, _) = ROCK.offer.queues()
    found = seen({names.job_subject(exact, RUN): 2}, {}, consumer(names.queue_consumer(exact), 9))
    assert models(found)[0] == model(in_flight=2)


def test_runs_are_those_of_which_the_hub_holds_something() -> None:
    jobs = {names.job_subject(queue, RUN): 2 for queue in ROCK.offer.queues()}
    found = seen(jobs, {names.result_subject(OTHER): 3})
    assert found.runs == (Run(run=RUN, jobs=4, results=0), Run(run=OTHER, jobs=0, results=3))


def test_messages_under_other_names_are_only_counted() -> None:
    found = seen({names.job_subject(NOBODYS, "\x1b[2J"): 2}, {names.result_subject("x.y"): 1})
    assert (found.strays, found.runs) == (3, ())


def test_it_is_json_with_all_that_was_asked() -> None:
    found = seen({}, {})
    told = msgspec.json.decode(msgspec.json.encode(found))
    assert told["boards"][0]["board"]["board"] == "rock"
    assert told["boards"][1]["age"] == 2.0
    assert told["refused"] == {"no": 3}
    assert found.stores[0] == Store(name="jobs", used=500, limit=1000)
