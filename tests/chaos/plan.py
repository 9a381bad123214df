"""How much chaos."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """How many images and workers, how long the NPU takes for an image, and how the farm is struck.

    A strike every `between` seconds on average, `strikes` in all, then the rest is done in peace;
    less than half would prove little. What lasts a while does so for up to `longest` seconds;
    `for_ever`, a few workers and an image are held until the end. The run lasts at least `images`
    times `service_ms` over the number of NPU cores.
    """

    images: int
    workers: int
    seed: int
    service_ms: float
    between: float
    strikes: int
    longest: float
    for_ever: bool
