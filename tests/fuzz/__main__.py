"""`python -m tests.fuzz --pictures N --seed S`: random pictures through the C library.

It is compiled with the address sanitizer and that of undefined behaviour, which end the program at
the first byte that is read or written outside. Its results are compared with OpenCV's, and so are
those of the installed library.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from tests.helpers.libraries import COMPILER, compiled
from workers.images.area import LIBRARY, Resize, by_opencv, choose, suits

FLAGS: Final = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
LONGEST: Final = 5000  # pixels
LARGEST: Final = 2_000_000  # pixels in all
CHILD: Final = "--library"


def main() -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(CHILD, type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.library is None:
        return under_sanitizers(sys.argv[1:])
    resizes = [choose(path) for path in (said.library, LIBRARY) if path.exists()]
    if reasons := [resize.reason for resize in resizes if resize.function is None]:
        print(*reasons, sep="\n", file=sys.stderr)
        return 1
    return fuzz(resizes, said.pictures, np.random.default_rng(said.seed))


def under_sanitizers(words: list[str]) -> int:
    """Run this program again, in a process that has the sanitizers' libraries from its start."""
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder, "libarea.so"), *FLAGS)
        asks = [str(COMPILER), "-print-file-name=libasan.so"]
        runtime = subprocess.run(asks, check=True, capture_output=True, text=True).stdout.strip()
        # What Python leaves behind at its exit is no leak of ours.
        variables = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
        again = [sys.executable, "-m", "tests.fuzz", *words, CHILD, str(library)]
        return subprocess.run(again, check=False, env={**os.environ, **variables}).returncode


def fuzz(resizes: list[Resize], pictures: int, random: np.random.Generator) -> int:
    """Resize this many pictures; return 1 if a result is not OpenCV's."""
    done = 0
    while done < pictures:
        width, height, to_width, to_height = sizes(random)
        # Few values make many means that are halfway between two.
        values = random.choice([2, 16, 256])
        picture = random.integers(0, values, (height, width, 3), np.uint8)
        if not suits(picture, to_width, to_height):
            continue
        wanted = by_opencv(picture, to_width, to_height)
        for resize in resizes:
            if not np.array_equal(resize.to_rgb(picture, to_width, to_height), wanted):
                print(f"{width}x{height} to {to_width}x{to_height} differs", file=sys.stderr)
                return 1
        done += 1
        if done % 1000 == 0:
            print(f"{done} pictures", flush=True)
    print(f"{done} pictures, {len(resizes)} libraries: every bit is OpenCV's, no access outside")
    return 0


def sizes(random: np.random.Generator) -> tuple[int, int, int, int]:
    """Return a width and a height, small ones as often as large ones, and smaller new ones."""
    while True:
        width, height = (int(side) for side in LONGEST ** random.random(2))
        if random.random() < 0.1:
            width = 1
        elif random.random() < 0.1:
            height = 1
        if width * height <= LARGEST:
            to_width, to_height = (int(random.integers(1, side + 1)) for side in (width, height))
            return width, height, to_width, to_height


if __name__ == "__main__":
    sys.exit(main())
