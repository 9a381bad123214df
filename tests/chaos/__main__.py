"""`python -m tests.chaos --images 20000 --seed 7`: exit code 1 if the farm broke its word."""

from __future__ import annotations

import argparse
import random
import resource
import sys
from typing import Final

from tests.chaos.plan import Chaos
from tests.chaos.run import run

WORKERS: Final = 12  # four of them are held for ever
SERVICE_MS: Final = 8.0
BETWEEN_SECONDS: Final = 0.33
LONGEST_SECONDS: Final = 5.0  # longer than a batch may take
IMAGES_PER_STRIKE: Final = 100  # if there is time for it; half as many strikes are enough


def main() -> int:
    """Run, and print what it was like."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a hundred core dumps would tell nothing
    print(f"chaos: {asked.images} images, seed {asked.seed}", flush=True)
    chaos = Chaos(
        images=asked.images,
        workers=WORKERS,
        seed=asked.seed,
        service_ms=SERVICE_MS,
        between=BETWEEN_SECONDS,
        strikes=asked.images // IMAGES_PER_STRIKE,
        longest=LONGEST_SECONDS,
        for_ever=True,
    )
    report = run(chaos)
    for name, value in report.facts.items():
        print(f"{name:>24}  {value}")
    for violation in report.violations:
        print(f"NOT AS PROMISED: {violation}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
