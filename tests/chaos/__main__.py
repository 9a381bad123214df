"""`python -m tests.chaos --images 20000 --seed 7`: exit code 1 if the farm broke its word."""

from __future__ import annotations

import argparse
import random
import resource
import sys
from typing import Final

from tests.chaos.run import Chaos, run

SERVICE_MS: Final = 8.0
BETWEEN_SECONDS: Final = 0.33
IMAGES_PER_STRIKE: Final = 200  # at least so many strikes; at most double


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
        seed=asked.seed,
        service_ms=SERVICE_MS,
        between=BETWEEN_SECONDS,
        least=asked.images // IMAGES_PER_STRIKE,
        most=asked.images // IMAGES_PER_STRIKE * 2,
    )
    report = run(chaos)
    for name, value in report.facts.items():
        print(f"{name:>24}  {value}")
    for violation in report.violations:
        print(f"NOT AS PROMISED: {violation}")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
