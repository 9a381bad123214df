"""Convert the bundled models for every SoC, measure the results, compare them with the kept ones.

The files go to build/models and, with --replace, to models/ together with their checksums. Figures
are those of the vendor's simulator on a PC: it computes what was quantized, not on an NPU.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from scores import Measured, Model, find, score

from farm.convert.convert import Conversion, quantized
from farm.hardware.platforms import SOCS
from farm.sources.renders import write_renders
from farm.sources.scenes import write_scenes
from workers.protocol.spec import FLOAT32, LETTERBOX, NCHW, NHWC, STRETCH, UINT8, InputSpec

MODELS: Final = Path(__file__).parent
SUMS: Final = MODELS / "SHA256SUMS"
BUILT: Final = MODELS.parent / "build" / "models"
CALIBRATION_SEED: Final = 1  # what the models were trained on; never 2024, which measures them
HELD_OUT_SEED: Final = 2024
# The tool leaves memory that it never wrote to in its files; seen were up to 1,211 such bytes. The
# rk3562's files have none, so they are those that show whether anything else has changed: another
# calibration changes some 200 to 300 bytes in each.
STRAY: Final = 1_600
EXACT: Final = "rk3562.rknn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A model that is kept here: what it takes, what it is calibrated on and measured by."""

    name: str
    side: int  # pixels of its input
    fit: str
    draw: Callable[..., list[Path]]
    calibration: int  # images
    held_out: int  # images
    measure: Callable[[Model, InputSpec, Sequence[Path]], Measured]
    columns: tuple[str, ...]
    most_lost: float  # of the first column's figure, against float32 on the same images

    @property
    def path(self) -> Path:
        """The ONNX model."""
        return MODELS / f"{self.name}.onnx"

    def spec(self, layout: str, dtype: str) -> InputSpec:
        """Return its input in a runtime."""
        side = self.side
        return InputSpec(width=side, height=side, layout=layout, dtype=dtype, fit=self.fit)

    def as_float(self, paths: Sequence[Path]) -> Measured:
        """Return what the ONNX model itself reaches."""
        session = ort.InferenceSession(self.path, providers=["CPUExecutionProvider"])

        def run(tensor: np.ndarray) -> list[np.ndarray]:
            return session.run(None, {"image": tensor})

        return self.measure(run, self.spec(NCHW, FLOAT32), paths)

    def build(self, platform: str, seen: Path, unseen: Sequence[Path]) -> tuple[Path, Measured]:
        """Convert for one SoC and measure the result."""
        job = Conversion(model=self.path, platform=platform, calibrate=str(seen), fit=self.fit)
        path = BUILT / job.target().name
        with quantized(job, print) as (toolkit, _):
            toolkit.export(path)
            toolkit.simulate()
            return path, self.measure(toolkit.infer, self.spec(NHWC, UINT8), unseen)

    def build_all(self, held_out: int | None) -> tuple[list[Path], bool]:
        """Convert and measure for every SoC; return files, and whether all lost little enough."""
        count = held_out or self.held_out
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            unseen = self.draw(folder / "unseen", count=count, seed=HELD_OUT_SEED)
            self.draw(folder / "seen", count=self.calibration, seed=CALIBRATION_SEED)
            reference = self.as_float(unseen)
            head = f"{count} images of seed {HELD_OUT_SEED}", *self.columns, "bytes"
            print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
            print(reference.row(self.path.name, reference, self.path.stat().st_size))
            built, good = [], True
            for platform in sorted({soc.model_platform for soc in SOCS.values()}):
                path, reached = self.build(platform, folder / "seen", unseen)
                print(reached.row(path.name, reference, path.stat().st_size), flush=True)
                built.append(path)
                good = good and reached.lost(reference) <= self.most_lost
        if not good:
            print(f"more than {self.most_lost:.0%} of {self.columns[0]} is lost")
        return built, good


GLYPHS: Final = Bundled(
    name="glyphs",
    side=224,
    fit=STRETCH,
    draw=write_renders,
    calibration=180,  # five of each class, as for the estimate in training
    held_out=3_600,
    measure=score,
    columns=("top-1", "top-5", "as float32"),
    most_lost=0.01,
)
SCENES: Final = Bundled(
    name="scenes",
    side=320,
    fit=LETTERBOX,
    draw=write_scenes,
    calibration=150,
    held_out=500,
    measure=find,
    columns=("mAP50", "mAP50-95"),
    most_lost=0.02,
)
ALL: Final = (GLYPHS, SCENES)


def compare(built: Path) -> tuple[str, bool]:
    """Return how a file differs from the kept one, and whether stray bytes explain it."""
    if f"{digest(built)}  {built.name}" in SUMS.read_text().splitlines():
        return "the bits of SHA256SUMS", True
    new, kept = built.read_bytes(), (MODELS / built.name).read_bytes()
    if len(new) != len(kept):
        return f"{len(new)} bytes, the kept file has {len(kept)}", False
    differing = int(np.count_nonzero(np.frombuffer(new, "u1") != np.frombuffer(kept, "u1")))
    most = 0 if built.name.endswith(EXACT) else STRAY
    return f"{differing} bytes are not those of SHA256SUMS, {most} may be", differing <= most


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replace(built: Sequence[Path]) -> None:
    """Keep the new files and their checksums."""
    for path in built:
        shutil.copyfile(path, MODELS / path.name)
    kept = sorted(MODELS.glob("*.rknn"))
    SUMS.write_text("".join(f"{digest(path)}  {path.name}\n" for path in kept))


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[each.name for each in ALL], help="one of the models")
    parser.add_argument("--held-out", type=int, help="images to measure on")
    parser.add_argument("--replace", action="store_true", help="keep the new files in models/")
    return parser.parse_args()


def main() -> int:
    """Convert, measure, compare; return 1 if too much is lost or the kept files are stale."""
    began, options = time.monotonic(), parse()
    BUILT.mkdir(parents=True, exist_ok=True)
    built: list[Path] = []
    good = True
    for each in ALL:
        if options.only in (None, each.name):
            files, fine = each.build_all(options.held_out)
            built, good = [*built, *files], good and fine
    print(f"{time.monotonic() - began:.0f} s, rendering included")
    if not good:
        print("nothing is replaced")
        return 1
    if options.replace:
        replace(built)
    for path in built:
        difference, explained = compare(path)
        print(f"{path.name}: {difference}")
        good = good and explained
    if not good:
        print("models/ is not what is made from the .onnx now: make models REPLACE=--replace")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
