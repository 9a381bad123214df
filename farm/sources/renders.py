"""Photo-like sample images of single characters: for tests, benchmarks and training.

An image is a pure function of (seed, index): image 17 is the same whether 18 or 20,000 are made.
A change to any of the draws calls for a new model and for new figures in models/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from farm.errors import OutputError
from farm.sources.glyphs import Typeface, random_backing, random_view
from farm.sources.scene import Image, encode, expose, paint, random_tint, random_wall

CLASSES: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONG_SIDE: Final = (460, 541)  # pixels, half open; 500 x 375 is the usual size of a thumbnail photo
SHORT_SIDE: Final = (345, 406)
QUALITY: Final = (60, 96)  # JPEG quality, half open
_PORTRAIT: Final = 0.2  # share of images that stand upright
_ORDER: Final = 1  # keeps the generator of the label order apart from those of the images


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """One sample image of one character, and the JPEG quality it is stored at."""

    label: str
    """The character shown, one of CLASSES."""
    image: Image
    """BGR, uint8, H x W x 3; the long side is 460 to 540 pixels, the short side 345 to 405."""
    quality: int
    """JPEG quality, 60 to 95."""

    def jpeg(self) -> bytes:
        """Return the image as a JPEG file; raise ValueError when OpenCV cannot encode it."""
        return encode(self.image, self.quality)


def render(index: int, *, seed: int) -> Render:
    """Render image number `index` of the endless series that `seed` names.

    Every run of 36 images that starts at a multiple of 36 shows each character once.
    Raises ValueError when `index` or `seed` is negative.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"index {index} and seed {seed} must not be negative")
    rng = np.random.default_rng((seed, index))
    turn, place = divmod(index, len(CLASSES))
    order = np.random.default_rng((seed, turn, _ORDER)).permutation(len(CLASSES))
    label = CLASSES[order[place]]
    # Any hues, but ground and ink are never close in brightness.
    dark = rng.uniform(0.08, 0.42)
    light = min(0.95, dark + rng.uniform(0.3, 0.6))
    ground, ink = random_tint(rng, dark), random_tint(rng, light)
    if rng.random() >= 0.5:
        ground, ink = ink, ground
    long, short = int(rng.integers(*LONG_SIDE)), int(rng.integers(*SHORT_SIDE))
    size = (long, short) if rng.random() < _PORTRAIT else (short, long)
    scene = random_wall(rng, size, ground)
    glyph = Typeface.random(rng).draw(label)
    view = random_view(rng, glyph, size)
    scene = paint(scene, random_backing(rng, glyph), view, ground, 1.0)
    if rng.random() < 0.3:  # a raised letter throws a shadow
        offset = np.array([[1, 0, rng.uniform(-5, 5)], [0, 1, rng.uniform(1, 6)], [0, 0, 1]])
        scene = paint(scene, glyph, offset @ view, ground * 0.45, 0.5)
    scene = paint(scene, glyph, view, ink, rng.uniform(0.8, 1.0))
    return Render(label=label, image=expose(rng, scene), quality=int(rng.integers(*QUALITY)))


def write_renders(folder: Path, *, count: int, seed: int) -> list[Path]:
    """Write images 0 to count - 1 as `glyph-<seed>-<index>_<label>.jpg` and return their paths.

    Makes the folder if needed. A second call writes the same bytes again; other files stay.
    Raises ValueError when `count` or `seed` is negative, OutputError when a file can't be written.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"count {count} and seed {seed} must not be negative")
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            made = render(index, seed=seed)
            paths.append(folder / f"glyph-{seed:04d}-{index:06d}_{made.label}.jpg")
            paths[-1].write_bytes(made.jpeg())
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror}") from error
    return paths
