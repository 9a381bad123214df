"""The network that finds characters in scenes, and the loss that it learns from.

It has no anchor boxes: each cell of three grids says how far the four sides of a character are from
the cell's centre, each as a distribution over 16 distances, and how likely each class is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name all PyTorch code uses
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDES: Final = (8, 16, 32)  # pixels from one cell to the next
BINS: Final = 16  # distances of a side, 0 to 15 strides
WIDTHS: Final = (16, 24, 40, 56, 72)  # channels where the image is 1/2, 1/4 ... of its size
REPEATS: Final = (0, 1, 2, 1, 1)  # blocks at that size
NECK: Final = 48
NORM_EPSILON: Final = 1e-3  # a channel that hardly varies must not get a huge folded weight
RARE: Final = -5.0  # first logit of every class: hardly any cell shows it
CANDIDATES: Final = 10  # cells that learn from one character, at most
SHARPNESS: Final = 6.0  # how much more than the score the overlap decides which cells these are
LEAST: Final = 12.0  # pixels: a character's cells are looked for in at least such a square
WEIGHTS: Final = (1.0, 5.0, 1.0)  # of the losses of classes, boxes and distributions


class Block(nn.Module):
    """A convolution, its norm and a ReLU6."""

    def __init__(self, taken: int, given: int, side: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(taken, given, side, stride, side // 2, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(given, eps=NORM_EPSILON)

    def forward(self, planes: Tensor) -> Tensor:
        """Return the block's features."""
        return F.relu6(self.norm(self.conv(planes)))

    def fold(self) -> None:
        """Make the norm part of the convolution: the same function, for inference."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


class Detector(nn.Module):
    """Features at five sizes, the last three joined from small to large, and one head for these."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        taken = (3, *WIDTHS)
        self.downs = nn.ModuleList(
            Block(taken[k], width, stride=2) for k, width in enumerate(WIDTHS)
        )
        self.repeats = nn.ModuleList(
            nn.ModuleList(Block(width, width) for _ in range(count))
            for width, count in zip(WIDTHS, REPEATS, strict=True)
        )
        self.laterals = nn.ModuleList(Block(width, NECK, side=1) for width in WIDTHS[2:])
        self.box = nn.Sequential(Block(NECK, NECK), nn.Conv2d(NECK, 4 * BINS, 1))
        self.kind = nn.Sequential(Block(NECK, NECK), nn.Conv2d(NECK, classes, 1))
        nn.init.constant_(self.kind[-1].bias, RARE)

    def forward(self, planes: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return logits of distances (N x 64 x h x w) and classes for each of STRIDES."""
        sizes = []
        for down, repeats in zip(self.downs, self.repeats, strict=True):
            planes = down(planes)
            for block in repeats:
                planes = planes + block(planes)
            sizes.append(planes)
        joined = [self.laterals[2](sizes[4])]
        for k in (1, 0):
            larger = F.interpolate(joined[0], scale_factor=2.0, mode="nearest")
            joined.insert(0, self.laterals[k](sizes[k + 2]) + larger)
        return [(self.box(each), self.kind(each)) for each in joined]

    def fold(self) -> Detector:
        """Make every norm part of its convolution; return the network, in inference mode."""
        self.eval()
        for module in self.modules():
            if isinstance(module, Block):
                module.fold()
        return self


class Export(nn.Module):
    """A folded detector as the vendor's model zoo exports its yolov8: nine outputs, raw pixels."""

    def __init__(self, detector: Detector, scale: float) -> None:
        super().__init__()
        self.detector = detector
        detector.downs[0].conv.weight.data /= scale

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Return for each of STRIDES logits of distances, scores, and their sum, 1 at most."""
        outputs = []
        for box, kind in self.detector(pixels):
            scores = kind.sigmoid()
            outputs += [box, scores, scores.sum(1, keepdim=True).clamp(0, 1)]
        return outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Where the cells of all three grids are: centres (A x 2) and strides (A x 1), in pixels."""

    centres: Tensor
    strides: Tensor

    @classmethod
    def of(cls, side: int) -> Cells:
        """Return the cells for a square image."""
        centres, strides = [], []
        for stride in STRIDES:
            line = (torch.arange(side // stride) + 0.5) * stride
            y, x = torch.meshgrid(line, line, indexing="ij")
            centres.append(torch.stack([x, y], -1).view(-1, 2))
            strides.append(torch.full((len(centres[-1]), 1), float(stride)))
        return cls(centres=torch.cat(centres), strides=torch.cat(strides))

    def boxes(self, logits: Tensor) -> Tensor:
        """Return boxes x1 y1 x2 y2 in pixels of logits of distances, N x A x 64."""
        shares = logits.unflatten(-1, (4, BINS)).softmax(-1)
        near, far = (shares @ torch.arange(float(BINS)) * self.strides).chunk(2, -1)
        return torch.cat([self.centres - near, self.centres + far], -1)

    def distances(self, boxes: Tensor) -> Tensor:
        """Return how far the sides of boxes (... x A x 4) are from the centres, in strides."""
        near, far = boxes.chunk(2, -1)
        return torch.cat([self.centres - near, far - self.centres], -1) / self.strides


def overlap(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return the IoU of boxes, and the generalised one, -1 to 1."""
    inner = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(
        first[..., :2], second[..., :2]
    )
    outer = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(
        first[..., :2], second[..., :2]
    )
    common = inner.clamp(0).prod(-1)
    sizes = [(each[..., 2:] - each[..., :2]).clamp(0).prod(-1) for each in (first, second)]
    union = sizes[0] + sizes[1] - common + 1e-6
    around = outer.prod(-1) + 1e-6
    return common / union, common / union - (around - union) / around


@torch.no_grad()
def assign(scores: Tensor, boxes: Tensor, truth: Tensor, cells: Cells) -> tuple[Tensor, Tensor]:
    """Return which character each cell learns (N x A), and how well it has done so far, 0 to 1.

    `truth` is N x M x 5: box and class, class -1 where an image has fewer. A character gets those
    cells around its middle that find it best already (as in TOOD); 0 is a cell that gets none.
    """
    sides, kinds = truth[..., :4], truth[..., 4].long()
    middle, half = (sides[..., 2:] + sides[..., :2]) / 2, (sides[..., 2:] - sides[..., :2]) / 2
    away = (cells.centres[None, None] - middle[:, :, None]).abs()
    inside = (away < half[:, :, None].clamp(LEAST / 2)).all(-1) & (kinds >= 0)[..., None]
    ious = overlap(sides[:, :, None], boxes[:, None])[0] * inside
    chosen = kinds.clamp(0)[..., None].expand(-1, -1, len(cells.centres))
    found = scores.transpose(1, 2).gather(1, chosen)
    aligned = (found.sqrt() * ious**SHARPNESS + 1e-9) * inside
    least = aligned.topk(CANDIDATES, -1).values[..., -1:]
    taken = inside & (aligned >= least)
    ious = ious * taken + 1e-6 * taken  # of two characters a cell takes the one it overlaps more
    best = ious.argmax(1)
    taken = taken & F.one_hot(best, truth.shape[1]).bool().transpose(1, 2)
    aligned = aligned * taken
    ious = ious * taken
    top = ious.amax(-1, keepdim=True) / aligned.amax(-1, keepdim=True).clamp(1e-12)
    quality = (aligned * top).amax(1)
    return best, quality * taken.any(1)


def loss(outputs: list[tuple[Tensor, Tensor]], truth: Tensor, cells: Cells) -> Tensor:
    """Return how far a network's outputs are from the truth, N x M x 5: box and class."""
    sides = torch.cat([box.flatten(2) for box, _ in outputs], -1).transpose(1, 2).float()
    kinds = torch.cat([kind.flatten(2) for _, kind in outputs], -1).transpose(1, 2).float()
    boxes = cells.boxes(sides)
    best, quality = assign(kinds.sigmoid(), boxes, truth, cells)
    own = truth.gather(1, best[..., None].expand(-1, -1, 5))
    wanted = F.one_hot(own[..., 4].long().clamp(0), kinds.shape[-1]) * quality[..., None]
    total = quality.sum().clamp(1)
    classes = F.binary_cross_entropy_with_logits(kinds, wanted, reduction="sum") / total
    learns = quality > 0
    weight = quality[learns]
    placed = ((1 - overlap(boxes[learns], own[..., :4][learns])[1]) * weight).sum() / total
    far = cells.distances(own[..., :4])[learns].clamp(0, BINS - 1.01)
    low = far.long()
    logits = sides[learns].unflatten(-1, (4, BINS)).flatten(0, 1)
    share = (far - low).flatten()
    spread = F.cross_entropy(logits, low.flatten(), reduction="none") * (1 - share)
    spread = spread + F.cross_entropy(logits, low.flatten() + 1, reduction="none") * share
    shaped = (spread.view(-1, 4).mean(-1) * weight).sum() / total
    return WEIGHTS[0] * classes + WEIGHTS[1] * placed + WEIGHTS[2] * shaped
