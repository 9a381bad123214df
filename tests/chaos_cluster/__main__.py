"""`python -m tests.chaos_cluster --images 5000 --seed 7`: exit code 1 if it broke its word."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.chaos_cluster.run import Chaos, run

BOARDS: Final = 4
BETWEEN_SECONDS: Final = 0.7
LONGEST_SECONDS: Final = 5.0  # more than twice as long as a board may be silent
ACK_SECONDS: Final = 2.0
IMAGES_PER_STRIKE: Final = 100
LIMIT_SECONDS_PER_IMAGE: Final = 0.06


def main() -> int:
    """Run, and print what it was like."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos_cluster")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"chaos-cluster: {asked.images} images, seed {asked.seed}", flush=True)
    chaos = Chaos(
        images=asked.images,
        boards=BOARDS,
        seed=asked.seed,
        strikes=asked.images // IMAGES_PER_STRIKE,
        between=BETWEEN_SECONDS,
        longest=LONGEST_SECONDS,
        ack_seconds=ACK_SECONDS,
        limit=120 + asked.images * LIMIT_SECONDS_PER_IMAGE,
    )
    with tempfile.TemporaryDirectory() as folder:
        report = run(chaos, Path(folder))
    for name, value in report.facts.items():
        print(f"{name:>28}  {value}")
    for violation in report.violations:
        print(f"NOT AS PROMISED: {violation}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
