"""Photo-like pictures of single characters, for tests, benchmarks and training without downloads.

A picture is a pure function of (seed, index): picture 17 is the same whether 18 or 20,000 are made.
A change to any of the draws calls for a new model and for new figures in models/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from farm.sources.glyphs import Mask, View, any_backing, any_typeface, any_view, draw

CLASSES: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Image: TypeAlias = npt.NDArray[np.uint8]
Plane: TypeAlias = npt.NDArray[np.float32]
Colour: TypeAlias = npt.NDArray[np.float64]
Colours: TypeAlias = tuple[Colour, Colour]  # of the ground, of the ink
Size: TypeAlias = tuple[int, int]  # height, width, as in the shape of an array

LONG_SIDE: Final = (460, 541)  # pixels, half open; 500 x 375 is the usual size of a thumbnail photo
SHORT_SIDE: Final = (345, 406)
QUALITY: Final = (60, 96)  # JPEG quality, half open
_PORTRAIT: Final = 0.2  # share of pictures that stand upright
_LUMA: Final = np.array([0.114, 0.587, 0.299])  # weights of blue, green and red in brightness
_ZERO: Final = 128  # what stands for 0 when signed values are kept in 8 bits
_STEP: Final = 40  # 8-bit levels per unit of relief
_FULL: Final = 128  # level of light 1.0 in 8 bits
_ORDER: Final = 1  # keeps the generator of the label order apart from those of the pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """One picture of one character, and the JPEG quality it is stored at."""

    label: str
    """The character shown, one of CLASSES."""
    image: Image
    """BGR, uint8, H x W x 3; the long side is 460 to 540 pixels, the short side 345 to 405."""
    quality: int
    """JPEG quality, 60 to 95."""

    def jpeg(self) -> bytes:
        """The picture as a JPEG file; raises ValueError when OpenCV cannot encode it."""
        done, data = cv2.imencode(".jpg", self.image, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
        if not done:
            raise ValueError(f"cannot encode a {self.image.shape} picture as JPEG")
        return data.tobytes()


def render(index: int, *, seed: int) -> Render:
    """Makes picture number `index` of the endless series that `seed` names.

    Every run of 36 pictures starting at a multiple of 36 shows each character once.
    Raises ValueError when `index` or `seed` is negative.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"index {index} and seed {seed} must not be negative")
    rng = np.random.default_rng((seed, index))
    label = _label(index, seed)
    colours = _colours(rng)
    scene = _wall(rng, _size(rng), colours[0])
    scene = _mounted(rng, scene, draw(label, any_typeface(rng)), colours)
    return Render(label=label, image=_exposed(rng, scene), quality=int(rng.integers(*QUALITY)))


def write_renders(directory: Path, *, count: int, seed: int) -> list[Path]:
    """Writes pictures 0 to count - 1 as `glyph-<seed>-<index>_<label>.jpg` and returns their paths.

    Makes the directory if needed. A second call writes the same bytes again; other files stay.
    Raises ValueError when `count` or `seed` is negative, OSError when a file cannot be written.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"count {count} and seed {seed} must not be negative")
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for index in range(count):
        picture = render(index, seed=seed)
        paths.append(directory / f"glyph-{seed:04d}-{index:06d}_{picture.label}.jpg")
        paths[-1].write_bytes(picture.jpeg())
    return paths


def _label(index: int, seed: int) -> str:
    turn, place = divmod(index, len(CLASSES))
    order = np.random.default_rng((seed, turn, _ORDER)).permutation(len(CLASSES))
    return CLASSES[order[place]]


def _size(rng: np.random.Generator) -> Size:
    long, short = int(rng.integers(*LONG_SIDE)), int(rng.integers(*SHORT_SIDE))
    return (long, short) if rng.random() < _PORTRAIT else (short, long)


def _size_of(scene: Image) -> Size:
    return scene.shape[0], scene.shape[1]


def _colours(rng: np.random.Generator) -> Colours:
    """Colours of the ground and of the ink: any hues, but never close in brightness."""
    dark = rng.uniform(0.08, 0.42)
    light = min(0.95, dark + rng.uniform(0.3, 0.6))
    pair = (_tint(rng, dark), _tint(rng, light))
    return pair if rng.random() < 0.5 else pair[::-1]


def _tint(rng: np.random.Generator, luma: float) -> Colour:
    """A BGR colour 0 to 255 of about the brightness `luma`, 0 to 1."""
    hue = 0.6 + rng.uniform(0, 1) * rng.uniform(-0.45, 0.4, 3)
    return np.asarray(np.clip(hue * luma / (hue @ _LUMA), 0, 1) * 255)


def _wall(rng: np.random.Generator, size: Size, ground: Colour) -> Image:
    """What is behind the character: two textures on the ground colour, and clutter on those."""
    textures = (_clouds, _grain, _stripes, _tiles, _blobs)
    first, second = (textures[kind](rng, size) for kind in rng.choice(len(textures), 2))
    accents = np.stack([_tint(rng, rng.uniform(0.1, 0.9)) - ground for _ in range(2)])
    slopes = accents * rng.uniform(0.04, 0.22, (2, 1)) / _STEP
    mix = np.vstack([slopes, ground - slopes.sum(axis=0) * _ZERO]).T
    reliefs = cv2.merge([_quantised(first, _STEP, _ZERO), _quantised(second, _STEP, _ZERO)])
    return _clutter(rng, np.asarray(cv2.transform(reliefs, mix), np.uint8))


def _clouds(rng: np.random.Generator, size: Size) -> Plane:
    """Noise at several scales, like plaster or foliage out of focus."""
    total = np.zeros(size, np.float32)
    for cells in (4, 11, 37):
        total += _enlarged(rng.standard_normal((cells, cells), np.float32), size) / 2
    return total


def _grain(rng: np.random.Generator, size: Size) -> Plane:
    """Long fibres along one axis, like wood or brushed metal."""
    cells = (int(rng.integers(60, 160)), int(rng.integers(2, 9)))
    noise = rng.standard_normal(cells if rng.random() < 0.5 else cells[::-1], np.float32)
    return _enlarged(noise, size)


def _stripes(rng: np.random.Generator, size: Size) -> Plane:
    angle, period = rng.uniform(0, np.pi), rng.uniform(14, 80)
    y, x = np.ogrid[: size[0], : size[1]]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)).astype(np.float32) * (2 * np.pi / period))
    return np.asarray(np.clip(wave * rng.uniform(1, 8), -1, 1), np.float32)


def _tiles(rng: np.random.Generator, size: Size) -> Plane:
    """Bricks of differing shade with joints between them, made at half the size."""
    high, wide = int(rng.integers(24, 80)), int(rng.integers(40, 130))
    y, x = np.ogrid[: size[0] : 2, : size[1] : 2]
    shifted = x + (y // high % 2) * (wide // 2)
    shades = rng.uniform(-0.8, 0.8, (size[0] // high + 1, size[1] // wide + 2)).astype(np.float32)
    joints = (shifted % wide < 4) | (y % high < 4)
    return _enlarged(np.where(joints, np.float32(1.5), shades[y // high, shifted // wide]), size)


def _blobs(rng: np.random.Generator, size: Size) -> Plane:
    """Soft discs, like lights out of focus; drawn at a quarter of the size since they are soft."""
    small = np.zeros((size[0] // 4, size[1] // 4), np.float32)
    for _ in range(int(rng.integers(5, 25))):
        centre = int(rng.integers(small.shape[1])), int(rng.integers(small.shape[0]))
        cv2.circle(small, centre, int(rng.integers(3, 22)), rng.uniform(-1.2, 1.2), -1)
    return _enlarged(np.asarray(cv2.blur(small, (5, 5)), np.float32), size)


def _enlarged(plane: Plane, size: Size) -> Plane:
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _quantised(plane: Plane, scale: float, zero: float) -> Image:
    return np.asarray(cv2.addWeighted(plane, scale, plane, 0, zero, dtype=cv2.CV_8U), np.uint8)


def _clutter(rng: np.random.Generator, wall: Image) -> Image:
    """Beams and discs of any colour, blended in weakly enough to stay behind the ink."""
    painted = wall.copy()
    for _ in range(int(rng.integers(0, 14))):
        ends = (rng.uniform(-0.1, 1.1, (2, 2)) * wall.shape[1::-1]).astype(int)
        colour = tuple(rng.uniform(0, 255, 3))
        if rng.random() < 0.6:
            cv2.line(painted, ends[0], ends[1], colour, int(rng.integers(2, 40)), cv2.LINE_AA)
        else:
            cv2.circle(painted, ends[0], int(rng.integers(8, 70)), colour, -1, cv2.LINE_AA)
    share = rng.uniform(0.1, 0.35)
    return np.asarray(cv2.addWeighted(painted, share, wall, 1 - share, 0), np.uint8)


def _mounted(rng: np.random.Generator, scene: Image, glyph: Mask, colours: Colours) -> Image:
    """The scene with the character on a plate, in a halo or bare, seen at an angle."""
    (ground, ink), view = colours, any_view(rng, glyph, _size_of(scene))
    scene = _painted(scene, any_backing(rng, glyph), view, ground, 1.0)
    if rng.random() < 0.3:  # a raised letter throws a shadow
        offset = np.array([[1, 0, rng.uniform(-5, 5)], [0, 1, rng.uniform(1, 6)], [0, 0, 1]])
        scene = _painted(scene, glyph, offset @ view, ground * 0.45, 0.5)
    return _painted(scene, glyph, view, ink, rng.uniform(0.8, 1.0))


def _painted(scene: Image, mask: Mask, view: View, colour: Colour, opacity: float) -> Image:
    cover = cv2.warpPerspective(mask, view, scene.shape[1::-1])
    x, y, wide, high = cv2.boundingRect(cover)
    if not wide:
        return scene
    spot = np.s_[y : y + high, x : x + wide]
    share = cover[spot] * np.float32(opacity / 255)
    paint = np.full((high, wide, 3), colour, np.uint8)
    painted = np.array(scene)
    painted[spot] = cv2.blendLinear(paint, scene[spot], share, 1 - share)
    return painted


def _exposed(rng: np.random.Generator, scene: Image) -> Image:
    """The scene as a camera takes it: lit unevenly, out of focus or shaken, and noisy."""
    size = _size_of(scene)
    light = _light(rng, size)
    light += rng.standard_normal(size, np.float32) * np.float32(rng.uniform(0, 0.07))
    coarse = rng.standard_normal((size[0] // 3, size[1] // 3, 3), np.float32)
    speckle = cv2.resize(_quantised(coarse, rng.uniform(0, 6), _ZERO), size[::-1])
    factors = cv2.cvtColor(_quantised(light, _FULL, 0), cv2.COLOR_GRAY2BGR)
    lit = cv2.multiply(_blurred(rng, scene), factors, scale=1 / _FULL)
    return np.asarray(cv2.addWeighted(lit, 1, speckle, 1, -_ZERO), np.uint8)


def _blurred(rng: np.random.Generator, scene: Image) -> Image:
    if rng.random() < 0.35:
        return scene
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 2.4)), np.uint8)
    return np.asarray(cv2.filter2D(scene, -1, _shake(rng)), np.uint8)


def _shake(rng: np.random.Generator) -> Plane:
    """The kernel of a camera that moved along a line of 5 to 11 pixels."""
    side = 2 * int(rng.integers(2, 6)) + 1
    kernel = np.zeros((side, side), np.float32)
    angle, middle = rng.uniform(0, np.pi), side // 2
    tip = np.rint(np.array([np.cos(angle), np.sin(angle)]) * middle).astype(int)
    cv2.line(kernel, (middle - tip).tolist(), (middle + tip).tolist(), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _light(rng: np.random.Generator, size: Size) -> Plane:
    """Brightness factors: a slope, darker corners and the edge of a shadow."""
    y, x = np.mgrid[-1:1:48j, -1:1:64j]  # light is smooth: made this small, then enlarged
    slope = x * rng.uniform(-0.25, 0.25) + y * rng.uniform(-0.25, 0.25)
    light = (1 + slope) * (1 - rng.uniform(0, 0.25) * (x**2 + y**2))
    if rng.random() < 0.4:
        inside = x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) + rng.uniform(-0.4, 0.4)
        light *= 1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-rng.uniform(10, 30) * inside))
    return _enlarged((light * rng.uniform(0.75, 1.15)).astype(np.float32), size)
