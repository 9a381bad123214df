"""`python -m tests.benchmarks --images 800 --runs 10`: appends a section to a file of this year."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from farm.hardware import environment as machine
from tests.benchmarks import record
from tests.benchmarks.contest import Contest, Images, Sizes
from tests.benchmarks.npu import RK3588, Npu
from tests.helpers.support import ROOT, SHARED_DATA

SUFFIXES: Final = (".jpg", ".JPEG")
RENDERS: Final = ROOT / "build" / "renders"


def main() -> int:
    """Run every contestant in turn, `runs` times over; exit code 1 if answers differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--npu", type=Npu.parse, default=Npu.parse(RK3588), help="CORESxMS")
    parser.add_argument("--pools", type=numbers, default=(3, 9), help="sizes of thread pools")
    parser.add_argument("--farms", type=numbers, default=(1, 3, 6, 9, 15), help="sizes of farms")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--pictures", type=Path, help="Without: ImageNet photos, or our renders.")
    asked = parser.parse_args()
    what, paths = found(asked.pictures)
    images = Images(what=what, paths=paths, count=asked.images, npu=asked.npu)
    runs: list[record.Run] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        contest = Contest(images, Sizes(pools=asked.pools, farms=asked.farms), Path(folder))
        for number in range(asked.runs):
            run: record.Run = {}
            for name, measured in contest.everybody(number):
                run[name] = measured
                print(f"run {number + 1}: {name:<32} {record.line(measured)}", flush=True)
            runs.append(run)
    facts = machine.facts()
    section = record.section(runs, images, facts)
    asked.folder.mkdir(exist_ok=True)
    with open(asked.folder / f"{facts['date'][:4]}.md", "a", encoding="utf-8") as out:
        out.write(section)
    print(section)
    wrong = sum(measured.wrong for run in runs for measured in run.values())
    return 1 if wrong else 0


def numbers(text: str) -> tuple[int, ...]:
    """Read `1,3,9`; raise ValueError."""
    return tuple(map(int, text.split(",")))


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
