"""What it costs to make boxes of a detector's outputs, by family.

    python -m tests.benchmarks.detect --rounds 15

640 x 640, 80 classes, 20 objects that three cells each have found. All families take turns within
each round, and CPU time counts: figures for docs/performance.md, which no test asserts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Final

from farm.hardware import environment as machine
from tests.helpers.heads import HEADS, Array, Planted, encode, option
from workers.tasks.detect import choose
from workers.tasks.detect_options import parse

SIZE: Final = (640, 640)
CLASSES: Final = 80
OBJECTS: Final = 20
CALLS: Final = 20  # images of one family in a row


def scene() -> list[Planted]:
    """Objects of all strides, which do not touch each other; the next two cells have each, too."""
    found: list[Planted] = []
    for number in range(OBJECTS):
        x, y = 64 + 128 * (number % 5), 80 + 160 * (number // 5)
        stride = (8, 16, 32)[number % 3]
        for step, score in ((0, 0.9), (1, 0.7), (-1, 0.5)):
            found.append(
                Planted(
                    x=x + step * stride,
                    y=y,
                    width=90,
                    height=80,
                    class_id=number * 4,
                    score=score - number / 100,
                    stride=stride,
                    anchor=1 if stride == 16 else 2,
                )
            )
    return found


def decoder(family: str) -> Callable[[list[Array]], object]:
    """What a worker calls for each image of this family."""
    shapes = [output.shape for output in encode(family, [], SIZE, CLASSES)]
    return choose(shapes, SIZE, parse({"family": option(family)})).decode


def main() -> int:
    """Measure `rounds` rounds and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.detect")
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    objects = scene()
    outputs = {family: encode(family, objects, SIZE, CLASSES) for family in HEADS}
    decoders = {family: decoder(family) for family in HEADS}
    spent: dict[str, list[float]] = {family: [] for family in HEADS}
    for number in range(rounds + 1):
        for family in HEADS:
            before = process_time()
            for _ in range(CALLS):
                decoders[family](outputs[family])
            if number:  # the first one warms up
                spent[family].append((process_time() - before) / CALLS * 1000)
    print("; ".join(f"{name} {fact}" for name, fact in machine.facts().items()), end="\n\n")
    print("| family | outputs | ms of CPU per image | lowest to highest |\n|---|---:|---:|---:|")
    for family, times in spent.items():
        low, mid, high = (f"{of(times):.2f}" for of in (min, median, max))
        print(f"| {family} | {len(outputs[family])} | {mid} | {low} to {high} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
