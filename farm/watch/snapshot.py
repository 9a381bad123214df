"""`Snapshot`: all that a face of a running farm draws from, once a second, as plain data."""

from __future__ import annotations

from typing import Final

import msgspec

from farm.errors import SnapshotError
from farm.hardware.sensors import Clock

VERSION: Final = 1  # the next one for any change that an earlier viewer would misread
RECENT_SECONDS: Final = 10.0  # what rates and percentiles are of
# Upper bounds of a stage's buckets, in milliseconds: what a fast NPU takes, and a slow queue.
BOUNDS_MS: Final = (
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0),
    *(1000.0, 2500.0, 5000.0, 10000.0, 30000.0, 60000.0),
)


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Plain data, frozen; what an older viewer does not know, it leaves out."""


class Stage(Struct, frozen=True, kw_only=True):
    """How long images took in one stage, in milliseconds; images with an error do not count.

    `p50`, `p90`, `p99` are of the last RECENT_SECONDS, right to 1 %, 0 if no image ended. Of all
    since the start: how many (`count`), their sum, and how many took up to each of BOUNDS_MS.
    """

    p50: float
    p90: float
    p99: float
    count: int
    sum_ms: float
    buckets: tuple[int, ...]


class WorkerFacts(Struct, frozen=True, kw_only=True):
    """One slot: its process and state, where it runs, what it has done.

    `state` is that of farm.scheduler.lifecycle.State; `npu_core` is None where CPUs run the model.
    `images` have got an answer since the farm is up, `losses` counts its processes that were lost
    after they were up. `ms` has the mean milliseconds by stage over the last RECENT_SECONDS.
    `memory_mb` is shared with no other process; 0 if it is not known.
    """

    index: int
    pid: int | None
    state: str
    npu_core: int | None
    cpus: tuple[int, ...]
    images: int
    in_flight: int
    memory_mb: float
    losses: int
    ms: dict[str, float]


class Told(Struct, frozen=True, kw_only=True):
    """A warning, and when it was given (seconds since 1970)."""

    at: float
    message: str


class Identity(Struct, frozen=True, kw_only=True):
    """Which farm it is: what it runs, whose process it is (`pid`, `command`), since when.

    `model` is None where there is none; `started` is in seconds since 1970. `simulated` says that
    the NPU is make-believe, and so are all figures that come of it.
    """

    model: str | None
    task: str
    platform: str
    runtime: str
    simulated: bool
    pid: int
    command: str
    started: float


class FarmFacts(Identity, frozen=True, kw_only=True):
    """A farm now.

    `rate` is in images per second over the last RECENT_SECONDS. `ok` and `failures` (by kind) count
    images since the start, `waiting` those that no worker holds yet, `in_flight` those that workers
    hold. `losses` counts workers that were lost after they were up, `restarts`
    processes that were started in place of others, `strays` messages that were dropped.

    `npu_load` is the share (0 to 1) of time in which each NPU core worked: of a simulated NPU in
    the last second or two, of a real one in the last full second. None where `no_npu_load` says
    why. `warnings` are the last ones.
    """

    reading: str
    rate: float
    ok: int
    failures: dict[str, int]
    waiting: int
    in_flight: int
    losses: int
    restarts: int
    strays: int
    stages: dict[str, Stage]
    workers: tuple[WorkerFacts, ...]
    npu_load: tuple[float, ...] | None
    no_npu_load: str | None
    warnings: tuple[Told, ...]


class Board(Struct, frozen=True, kw_only=True):
    """The machine now: its `soc` (None if it is none of Rockchip's), loads, temperatures, clocks.

    `npu_load` is what the kernel says of its NPU, by core, 0 to 1; `no_npu_load` why it says
    nothing. `temperatures` are in degrees C by zone. `cpu_load` is the share (0 to 1) of time in
    which each CPU was busy in the last second or two; empty where that is not known.
    """

    soc: str | None
    npu_load: tuple[float, ...] | None
    no_npu_load: str | None
    temperatures: dict[str, float]
    clocks: tuple[Clock, ...]
    cpu_load: dict[int, float]
    memory_mb: float
    available_mb: float


class Snapshot(Struct, frozen=True, kw_only=True):
    """A farm and its board at one moment (`at`, seconds since 1970); without a farm, the board."""

    version: int = VERSION
    at: float
    farm: FarmFacts | None
    board: Board


class _Version(msgspec.Struct, frozen=True):
    version: int


_DECODER: Final = msgspec.json.Decoder(Snapshot)
_VERSION_DECODER: Final = msgspec.json.Decoder(_Version)


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot as JSON."""
    return msgspec.json.encode(snapshot)


def decode(data: bytes) -> Snapshot:
    """Return the snapshot that `encode` has made JSON of; raises SnapshotError if it is none."""
    try:
        version = _VERSION_DECODER.decode(data).version
        if version == VERSION:
            return _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"what came is no snapshot of a farm: {error}") from error
    raise SnapshotError(
        f"the farm's snapshots have version {version}, and this program reads {VERSION}: use the "
        "npu-farm that runs the farm"
    )
