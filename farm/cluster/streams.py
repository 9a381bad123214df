"""The streams and buckets of a hub: what they hold, for how long; made by whoever comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError
from nats.js.kv import KeyValue

from farm.cluster import names
from farm.cluster.link import said
from farm.errors import HubError

MB: Final = 1 << 20
BOARDS_BYTES: Final = 64 * MB
DAY: Final = 86_400.0
KEPT_SECONDS: Final = 7 * DAY  # what nobody fetches
PRESENCE_SECONDS: Final = 15.0  # of a board that says nothing any more
SAME_SECONDS: Final = 120.0  # in which a message that is published twice counts once
MOST_UNANSWERED: Final = 100_000  # messages of one consumer
ACK_SECONDS: Final = "npu-farm.ack-seconds"  # in a stream's metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a hub holds; how long a board may be silent until another gets its jobs."""

    jobs_bytes: int = 1024 * MB
    results_bytes: int = 1024 * MB
    objects_bytes: int = 1024 * MB
    ack_seconds: float = 20.0


async def ensure(js: JetStreamContext, limits: Limits | None = None) -> None:
    """Make what a hub needs and has not; with `limits`, they hold from now on.

    Raises HubError where the server has no JetStream, or no room for that.
    """
    limit = limits or Limits()
    queues = (
        StreamConfig(
            name=names.JOBS,
            subjects=[f"{names.JOB_SUBJECTS}.>"],
            max_bytes=limit.jobs_bytes,
            duplicate_window=SAME_SECONDS,
            metadata={ACK_SECONDS: str(limit.ack_seconds)},
        ),
        StreamConfig(
            name=names.RESULTS,
            subjects=[f"{names.RESULT_SUBJECTS}.>"],
            max_bytes=limit.results_bytes,
        ),
    )
    objects = StreamConfig(
        name=names.OBJECTS,
        subjects=[f"{names.OBJECT_SUBJECTS}.>"],
        max_bytes=limit.objects_bytes,
        duplicate_window=SAME_SECONDS,
        allow_direct=True,
    )
    streams = (*(each.evolve(retention=RetentionPolicy.WORK_QUEUE) for each in queues), objects)
    try:
        for config in streams:
            full = config.evolve(
                storage=StorageType.FILE, discard=DiscardPolicy.NEW, max_age=KEPT_SECONDS
            )
            await _make(js, full, change=limits is not None)
        await _ensure_boards(js)
    except APIError as error:
        raise HubError(f"the hub can't hold a queue: {said(error)}") from error


async def boards_bucket(js: JetStreamContext) -> KeyValue:
    """Return the bucket of who is there."""
    return await js.key_value(names.BOARDS)


async def ack_seconds(js: JetStreamContext) -> float:
    """Return how long a board may be silent about a job."""
    config = (await js.stream_info(names.JOBS)).config
    return float((config.metadata or {}).get(ACK_SECONDS, Limits().ack_seconds))


async def make_queue(js: JetStreamContext, queue: str) -> None:
    """Make the consumer that all boards of a queue share, if it is not there."""
    config = ConsumerConfig(
        durable_name=names.queue_consumer(queue),
        filter_subject=names.jobs_of_queue(queue),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=await ack_seconds(js),
        max_ack_pending=MOST_UNANSWERED,
        inactive_threshold=KEPT_SECONDS,
    )
    await js.add_consumer(names.JOBS, config)


async def make_run(js: JetStreamContext, run: str) -> None:
    """Make the consumer of a run's results, if it is not there."""
    config = ConsumerConfig(
        durable_name=names.run_consumer(run),
        filter_subject=names.result_subject(run),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=await ack_seconds(js),
        max_ack_pending=MOST_UNANSWERED,
        inactive_threshold=KEPT_SECONDS,
    )
    await js.add_consumer(names.RESULTS, config)


async def run_puller(js: JetStreamContext, run: str) -> JetStreamContext.PullSubscription:
    """Return what pulls the results of a run."""
    await make_run(js, run)
    return await js.pull_subscribe_bind(consumer=names.run_consumer(run), stream=names.RESULTS)


async def _make(js: JetStreamContext, config: StreamConfig, *, change: bool) -> None:
    assert config.name is not None  # noqa: S101
    try:
        await js.stream_info(config.name)
    except NotFoundError:
        await js.add_stream(config)
    else:
        if change:
            await js.update_stream(config)


async def _ensure_boards(js: JetStreamContext) -> None:
    try:
        await js.key_value(names.BOARDS)
    except NotFoundError:
        await js.create_key_value(
            KeyValueConfig(bucket=names.BOARDS, ttl=PRESENCE_SECONDS, max_bytes=BOARDS_BYTES)
        )
