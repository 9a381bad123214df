"""Train the bundled detector of characters, and measure it.

One run renders the training scenes, trains the network of `detector.py`, exports it to ONNX and
measures it on scenes of a seed it has never seen, read back from JPEG files as the farm reads them.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import torch
from convert_bundled import SCENES
from detector import STRIDES, Cells, Detector, Export, loss
from recipe import Recipe, parse
from torch import Tensor

from farm.sources.renders import CLASSES
from farm.sources.scenes import MOST, render_scene, write_scenes

Pixels: TypeAlias = npt.NDArray[np.uint8]
Boxes: TypeAlias = npt.NDArray[np.float32]  # N x 5: x1 y1 x2 y2 in pixels, class

SIDE: Final = SCENES.side
COARSE_SIDE: Final = 256  # most epochs see pieces of this size: two thirds of the work
GREY: Final = 114  # around a scene that is no square
FULL_SCALE: Final = 255.0  # pixel value that training sees as 1.0
OPSET: Final = 13  # the oldest with per-channel quantization; every converter knows it
BATCH: Final = 32
PEAK_RATE: Final = 4e-3
WEIGHT_DECAY: Final = 0.02
STEEPEST: Final = 10.0  # the longest gradient that is followed as it is
ZOOM: Final = (0.85, 1.3)  # of the pieces
LEAST_SEEN: Final = 0.7  # of a box: a piece that shows less of it does not count it as there


def example(index: int, *, seed: int) -> tuple[Pixels, Boxes]:
    """Return a training scene after a JPEG round trip as the model takes it (RGB), and its boxes.

    There are as many boxes as a scene may have; those that it does not have are of class -1.
    """
    made = render_scene(index, seed=seed)
    decoded = cv2.imdecode(np.frombuffer(made.jpeg(), np.uint8), cv2.IMREAD_COLOR)
    high, wide = made.image.shape[:2]
    scale = SIDE / max(high, wide)
    size = round(wide * scale), round(high * scale)
    left, top = ((SIDE - each) // 2 for each in size)
    square = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    small = cv2.resize(np.asarray(decoded), size, interpolation=cv2.INTER_AREA)
    square[top : top + size[1], left : left + size[0]] = small[..., ::-1]
    boxes = np.full((MOST, 5), -1, np.float32)
    for row, each in zip(boxes, made.objects, strict=False):
        row[:4] = np.array(each.box) * scale + (left, top, left, top)
        row[4] = CLASSES.index(each.label)
    return square, boxes


def examples(recipe: Recipe) -> tuple[Pixels, Boxes]:
    """Return all training scenes (N x 320 x 320 x 3) and their boxes (N x 12 x 5)."""
    images = np.empty((recipe.images, SIDE, SIDE, 3), np.uint8)
    boxes = np.empty((recipe.images, MOST, 5), np.float32)
    with multiprocessing.get_context("spawn").Pool() as pool:
        made = pool.imap(partial(example, seed=recipe.seed), range(recipe.images), chunksize=32)
        for k, (image, found) in enumerate(made):
            images[k], boxes[k] = image, found
    return images, boxes


def train(images: Pixels, boxes: Boxes, recipe: Recipe) -> Detector:
    """Train from scratch: coarse epochs on pieces at other scales, then fine ones on the wholes."""
    net, rng = Detector(len(CLASSES)), np.random.default_rng(recipe.seed)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches, epochs = len(images) // BATCH, recipe.coarse_epochs + recipe.fine_epochs
    optimiser = torch.optim.AdamW(net.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, PEAK_RATE, epochs * batches, pct_start=0.15
    )
    for epoch in range(epochs):
        began, total = time.monotonic(), 0.0
        side = COARSE_SIDE if epoch < recipe.coarse_epochs else SIDE
        cells = Cells.of(side)
        for chosen in rng.permutation(len(images))[: batches * BATCH].reshape(batches, BATCH):
            pixels, truth = batch(images[chosen], boxes[chosen], rng, side)
            with torch.autocast("cpu", torch.bfloat16):
                outputs = net(pixels)
            lost = loss(outputs, truth, cells)
            optimiser.zero_grad()
            torch.autograd.backward(lost)
            torch.nn.utils.clip_grad_norm_(net.parameters(), STEEPEST)
            optimiser.step()
            rates.step()
            total += lost.item()
        took = time.monotonic() - began
        print(f"epoch {epoch + 1}: loss {total / batches:.3f}, {took:.0f} s", flush=True)
    return net


def batch(
    images: Pixels, boxes: Boxes, rng: np.random.Generator, side: int
) -> tuple[Tensor, Tensor]:
    """Return floats 0 to 1 at other exposures, and the boxes; a `side` under 320 gives pieces."""
    if side < SIDE:
        moved = [piece(*each, rng, side) for each in zip(images, boxes, strict=True)]
        images, boxes = (np.stack(each) for each in zip(*moved, strict=True))
    planes = torch.from_numpy(images).permute(0, 3, 1, 2) / FULL_SCALE
    count = len(images)
    gain = rng.uniform(-0.08, 0.08, (count, 3, 1, 1)) + rng.uniform(0.85, 1.15, (count, 1, 1, 1))
    shifted = planes * torch.from_numpy(gain.astype(np.float32))
    shifted += torch.from_numpy(rng.uniform(-0.06, 0.06, (count, 1, 1, 1)).astype(np.float32))
    return shifted.clamp(0, 1).contiguous(memory_format=torch.channels_last), torch.from_numpy(
        boxes
    )


def piece(image: Pixels, boxes: Boxes, rng: np.random.Generator, side: int) -> tuple[Pixels, Boxes]:
    """Return a piece of an image, drawn larger or smaller, and what it shows of the boxes."""
    zoom = rng.uniform(*ZOOM)
    corner = rng.uniform(0, 1, 2) * (SIDE * zoom - side)
    matrix = np.array([[zoom, 0, -corner[0]], [0, zoom, -corner[1]]])
    seen = cv2.warpAffine(image, matrix, (side, side), borderValue=(GREY, GREY, GREY))
    whole = boxes[:, :4] * zoom - np.tile(corner, 2)
    cut = whole.clip(0, side)
    left = (cut[:, 2:] - cut[:, :2]).prod(1) >= (whole[:, 2:] - whole[:, :2]).prod(1) * LEAST_SEEN
    kinds = np.where(left, boxes[:, 4], -1)
    return np.asarray(seen, np.uint8), np.hstack([cut, kinds[:, None]]).astype(np.float32)


def export(net: Detector) -> None:
    """Write the model file."""
    torch.onnx.export(
        Export(net.to(memory_format=torch.contiguous_format).fold(), FULL_SCALE).eval(),  # type: ignore[call-overload]
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(SCENES.path),
        input_names=["image"],
        output_names=[f"{what}{n}" for n in STRIDES for what in ("boxes", "classes", "sum")],
        opset_version=OPSET,
        dynamo=False,  # the newer exporter cannot write this opset without converting it down
    )


def measure(recipe: Recipe) -> None:
    """Print the model's mean average precision on scenes it has never seen."""
    data = SCENES.path.read_bytes()
    print(f"{SCENES.path.name}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    with tempfile.TemporaryDirectory() as folder:
        unseen = write_scenes(Path(folder), count=recipe.held_out, seed=recipe.held_out_seed)
        reached = SCENES.as_float(unseen)
    print(f"| {len(unseen)} images | {' | '.join(SCENES.columns)} | bytes |")
    print(reached.row("float32", reached, len(data)))


def build(recipe: Recipe) -> None:
    """Render, train and export."""
    began = time.monotonic()
    torch.manual_seed(recipe.seed)
    net = train(*examples(recipe), recipe)
    count = sum(parameter.numel() for parameter in net.parameters())
    export(net)
    print(f"{count} parameters, trained in {time.monotonic() - began:.0f} s, rendering included")


def main() -> None:
    """Build the model unless told not to, then measure it."""
    recipe = parse(__doc__, Recipe(images=8_000, coarse_epochs=12, fine_epochs=2, held_out=500))
    if not recipe.evaluate_only:
        build(recipe)
    measure(recipe)


if __name__ == "__main__":
    main()
