"""Train the bundled classifier of 36 characters, and measure it.

One run renders the training images, trains a MobileNet-v1 of width 0.25, exports it to ONNX and
scores it on images of a seed it has never seen, read back from JPEG files as the farm reads them.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import torch
import torch.nn.functional as F  # noqa: N812 - the name all PyTorch code uses
from onnxruntime.quantization import CalibrationDataReader, quantize_static
from recipe import Recipe, parse
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from farm.sources.renders import CLASSES, render, write_renders

Pixels: TypeAlias = npt.NDArray[np.uint8]

MODEL: Final = Path(__file__).with_name("glyphs.onnx")
SIDE: Final = 224  # pixels; what the model takes
COARSE_SIDE: Final = 128  # most epochs run at this size: a third of the work, most of the gain
FULL_SCALE: Final = 255.0  # pixel value that training sees as 1.0
OPSET: Final = 13  # the oldest with per-channel quantization; every converter knows it
BATCH: Final = 32
PEAK_RATE: Final = 5e-3
WEIGHT_DECAY: Final = 0.02  # with ReLU6 it keeps narrow the ranges that INT8 has to cover
NORM_EPSILON: Final = 1e-3  # a channel that hardly varies must not get a huge folded weight
CALIBRATION: Final = 180  # images that set the ranges of the INT8 estimate: five of each class
FIRST_WIDTH: Final = 8  # all widths are a quarter of those of the full MobileNet-v1
WIDTHS: Final = (16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256)
STRIDES: Final = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def pixels(picture: Pixels) -> Pixels:
    """Return a BGR image of any size as the farm prepares it: RGB, 224 x 224, aspect not kept."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def example(index: int, *, seed: int) -> tuple[Pixels, int]:
    """Return a training image after a JPEG round trip, and the number of its class."""
    made = render(index, seed=seed)
    decoded = cv2.imdecode(np.frombuffer(made.jpeg(), np.uint8), cv2.IMREAD_COLOR)
    return pixels(np.asarray(decoded, np.uint8)), CLASSES.index(made.label)


def examples(recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return all training images (N x 224 x 224 x 3, uint8) and their classes (N, int64)."""
    images = torch.empty(recipe.images, SIDE, SIDE, 3, dtype=torch.uint8)
    classes = torch.empty(recipe.images, dtype=torch.int64)
    with multiprocessing.get_context("spawn").Pool() as pool:
        made = pool.imap(partial(example, seed=recipe.seed), range(recipe.images), chunksize=64)
        for k, (image, number) in enumerate(made):
            images[k], classes[k] = torch.from_numpy(image), number
    return images, classes


def network() -> nn.Sequential:
    """Return MobileNet-v1 of width 0.25 as a flat list: each convolution, its norm, its ReLU6."""
    layers, channels = _normed(nn.Conv2d(3, FIRST_WIDTH, 3, 2, 1, bias=False)), FIRST_WIDTH
    for width, stride in zip(WIDTHS, STRIDES, strict=True):
        layers += _normed(nn.Conv2d(channels, channels, 3, stride, 1, 1, channels, bias=False))
        layers += _normed(nn.Conv2d(channels, width, 1, bias=False))
        channels = width
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, len(CLASSES)))
    return nn.Sequential(*layers, *head)


def _normed(conv: nn.Conv2d) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(conv.out_channels, eps=NORM_EPSILON), nn.ReLU6(inplace=True)]


def train(images: Tensor, classes: Tensor, recipe: Recipe) -> nn.Sequential:
    """Train from scratch: coarse epochs on small, distorted images, then fine ones."""
    net, batches = network(), len(images) // BATCH
    optimiser = torch.optim.AdamW(net.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    epochs = recipe.coarse_epochs + recipe.fine_epochs
    steps = epochs * batches
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, steps, pct_start=0.15)
    for epoch in range(epochs):
        began, total = time.monotonic(), 0.0
        for chosen in torch.randperm(len(images))[: batches * BATCH].view(batches, BATCH):
            scores = net(_varied(images[chosen], coarse=epoch < recipe.coarse_epochs))
            loss = F.cross_entropy(scores, classes[chosen], label_smoothing=0.05)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            rates.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / batches:.3f}, {time.monotonic() - began:.0f} s")
    return net.eval()


def _varied(batch: Tensor, *, coarse: bool) -> Tensor:
    """Return images as floats 0 to 1 at other exposures; coarse: also moved, turned and shrunk."""
    scaled = batch.permute(0, 3, 1, 2) / FULL_SCALE
    scaled = _moved(scaled) if coarse else scaled
    gain = _uniform((len(batch), 3, 1, 1), 0.08) + _uniform((len(batch), 1, 1, 1), 0.15) + 1
    shifted = scaled * gain + _uniform((len(batch), 1, 1, 1), 0.06)
    return shifted.clamp(0, 1).contiguous(memory_format=torch.channels_last)


def _moved(batch: Tensor) -> Tensor:
    """Shift, stretch and shear a little; the sample images vary by more already."""
    matrix = torch.eye(2, 3) + _uniform((len(batch), 2, 3), 0.08)
    grid = F.affine_grid(matrix, [len(batch), 3, COARSE_SIDE, COARSE_SIDE], align_corners=False)
    return F.grid_sample(batch, grid, padding_mode="reflection", align_corners=False)


def _uniform(shape: tuple[int, ...], reach: float) -> Tensor:
    return torch.empty(shape).uniform_(-reach, reach)


def fold(net: nn.Sequential) -> nn.Sequential:
    """Return the same function of raw pixels, 0 to 255: convolutions contain norms and scale."""
    layers: list[Any] = []
    for layer in net:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(layer)
    layers[0].weight.data /= FULL_SCALE
    return nn.Sequential(*layers).eval()


def export(net: nn.Sequential) -> None:
    """Write the model file and, beside it, the labels in class order."""
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(MODEL),
        input_names=["image"],
        output_names=["scores"],
        opset_version=OPSET,
        dynamo=False,  # the newer exporter cannot write this opset without converting it down
    )
    MODEL.with_suffix(".labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="ascii")


def model_input(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Return a JPEG file as the model takes it: float32, 1 x 3 x 224 x 224, raw 0 to 255."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path} is not an image that OpenCV can read")
    planes = pixels(np.asarray(picture, np.uint8)).transpose(2, 0, 1)
    return {"image": np.ascontiguousarray(planes[None], np.float32)}


def evaluate(name: str, model: Path, paths: list[Path]) -> None:
    """Run a model on files named `..._<truth>.jpg`; print its top-1, top-5 and confusions."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    top1, top5, wrong = 0, 0, Counter[str]()
    for path in paths:
        truth = path.stem[-1]
        (scores,) = session.run(["scores"], model_input(path))
        best = [CLASSES[k] for k in np.argsort(-scores[0], kind="stable")[:5]]
        top1, top5 = top1 + (truth == best[0]), top5 + (truth in best)
        wrong.update([] if truth == best[0] else [f"{truth} as {best[0]}"])
    share = f"top-1 {top1 / len(paths):.2%}, top-5 {top5 / len(paths):.2%}"
    print(f"{name}: {share} of {len(paths)} images; wrong: {wrong.most_common(12)}")


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Images from which ONNX Runtime's quantizer takes its ranges."""

    def __init__(self, paths: list[Path]) -> None:
        self._inputs = map(model_input, paths)

    def get_next(self) -> Any:
        """Return the next image, or None after the last."""
        return next(self._inputs, None)


def measure(recipe: Recipe) -> None:
    """Score the model, and an INT8 copy as an estimate of what a converter's INT8 will lose."""
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes, sha256 {digest}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = write_renders(folder / "unseen", count=recipe.held_out, seed=recipe.held_out_seed)
        seen = write_renders(folder / "seen", count=CALIBRATION, seed=recipe.seed)
        quantize_static(MODEL, folder / "int8.onnx", Calibration(seen), per_channel=True)
        evaluate("float32", MODEL, paths)
        evaluate("INT8 estimate", folder / "int8.onnx", paths)


def build(recipe: Recipe) -> None:
    """Render, train and export."""
    began = time.monotonic()
    torch.manual_seed(recipe.seed)
    net = fold(train(*examples(recipe), recipe))
    export(net)
    count = sum(parameter.numel() for parameter in net.parameters())
    print(f"{count} parameters, trained in {time.monotonic() - began:.0f} s, rendering included")


def main() -> None:
    """Build the model unless told not to, then measure it."""
    recipe = parse(__doc__, Recipe(images=21_600, coarse_epochs=12, fine_epochs=3, held_out=3_600))
    if not recipe.evaluate_only:
        build(recipe)
    measure(recipe)


if __name__ == "__main__":
    main()
