"""`python -m tests.benchmarks --images 800 --runs 10`: appends a section to a file of this year."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final

from farm.hardware import environment as machine
from tests.benchmarks import contest, record
from tests.benchmarks.contest import Figures, Images
from tests.benchmarks.npu import SERVICE_MS
from tests.helpers.support import ROOT, SHARED_DATA

SUFFIXES: Final = (".jpg", ".JPEG")
RENDERS: Final = ROOT / "build" / "renders"


def main() -> int:
    """Run every contestant in turn, `runs` times over; exit code 1 if answers differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--service-ms", type=float, default=SERVICE_MS)
    parser.add_argument("--sizes", default="1,3,9")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--pictures", type=Path, help="Without: ImageNet photos, or our renders.")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    what, paths = found(asked.pictures)
    images = Images(what=what, paths=paths, count=asked.images, service_ms=asked.service_ms)
    figures: defaultdict[str, list[Figures]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for run in range(asked.runs):
            for name, measured in contest.everybody(images, sizes, Path(folder, str(run))):
                figures[name].append(measured)
                print(f"run {run + 1}: {name:<32} {record.line(measured)}", flush=True)
    facts = machine.facts()
    section = record.section(dict(figures), images, facts)
    asked.folder.mkdir(exist_ok=True)
    with open(asked.folder / f"{facts['date'][:4]}.md", "a", encoding="utf-8") as out:
        out.write(section)
    print(section)
    wrong = sum(measured.wrong for several in figures.values() for measured in several)
    return 1 if wrong else 0


def found(folder: Path | None) -> tuple[str, tuple[str, ...]]:
    """What the pictures are, and their paths: those in `folder`; without, the real photos where
    they are, else the sample images."""
    what, source = "pictures", folder
    if source is None:
        what, source = "ImageNet photos", SHARED_DATA / "imagenet"
        if not source.is_dir():
            what, source = "of the sample images", RENDERS
    return what, tuple(sorted(str(path) for path in source.iterdir() if path.suffix in SUFFIXES))


if __name__ == "__main__":
    sys.exit(main())
