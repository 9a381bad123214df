"""What is around a character in a sample image: textured walls, paint, light and camera.

Each function draws from `rng` in a fixed order, on which the pictures of a seed depend.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from farm.sources.glyphs import Mask, View

Image: TypeAlias = npt.NDArray[np.uint8]  # BGR, H x W x 3
Plane: TypeAlias = npt.NDArray[np.float32]
Colour: TypeAlias = npt.NDArray[np.float64]  # BGR, 0 to 255
Size: TypeAlias = tuple[int, int]  # height, width, as in the shape of an array

_LUMA: Final = np.array([0.114, 0.587, 0.299])  # weights of blue, green and red in brightness
_ZERO: Final = 128  # stands for 0 where signed values are kept in 8 bits
_STEP: Final = 40  # 8-bit levels per unit of relief
_FULL: Final = 128  # level of light 1.0 in 8 bits
_TEXTURES: Final = 5


def random_tint(rng: np.random.Generator, luma: float) -> Colour:
    """Return a random BGR colour, 0 to 255, of about the brightness `luma`, 0 to 1."""
    hue = 0.6 + rng.uniform(0, 1) * rng.uniform(-0.45, 0.4, 3)
    return np.asarray(np.clip(hue * luma / (hue @ _LUMA), 0, 1) * 255)


def random_wall(rng: np.random.Generator, size: Size, ground: Colour) -> Image:
    """Return a background: two textures on the colour `ground`, and weak clutter on those."""
    first, second = (random_texture(rng, size, kind) for kind in rng.choice(_TEXTURES, 2))
    accents = np.stack([random_tint(rng, rng.uniform(0.1, 0.9)) - ground for _ in range(2)])
    slopes = accents * rng.uniform(0.04, 0.22, (2, 1)) / _STEP
    mix = np.vstack([slopes, ground - slopes.sum(axis=0) * _ZERO]).T
    reliefs = cv2.merge([_quantize(first, _STEP, _ZERO), _quantize(second, _STEP, _ZERO)])
    wall = np.asarray(cv2.transform(reliefs, mix), np.uint8)
    cluttered = wall.copy()
    for _ in range(int(rng.integers(0, 14))):  # beams and discs of any colour
        ends = (rng.uniform(-0.1, 1.1, (2, 2)) * wall.shape[1::-1]).astype(int)
        colour = tuple(rng.uniform(0, 255, 3))
        if rng.random() < 0.6:
            cv2.line(cluttered, ends[0], ends[1], colour, int(rng.integers(2, 40)), cv2.LINE_AA)
        else:
            cv2.circle(cluttered, ends[0], int(rng.integers(8, 70)), colour, -1, cv2.LINE_AA)
    share = rng.uniform(0.1, 0.35)  # weak enough to stay behind the ink
    return np.asarray(cv2.addWeighted(cluttered, share, wall, 1 - share, 0), np.uint8)


def random_texture(rng: np.random.Generator, size: Size, kind: int) -> Plane:
    """Return a relief of about -1 to 1; `kind` is 0 to 4."""
    match kind:
        case 0:  # noise at several scales, like plaster or foliage out of focus
            total = np.zeros(size, np.float32)
            for cells in (4, 11, 37):
                total += _enlarge(rng.standard_normal((cells, cells), np.float32), size) / 2
            return total
        case 1:  # long fibres along one axis, like wood or brushed metal
            shape = (int(rng.integers(60, 160)), int(rng.integers(2, 9)))
            noise = rng.standard_normal(shape if rng.random() < 0.5 else shape[::-1], np.float32)
            return _enlarge(noise, size)
        case 2:  # stripes
            angle, period = rng.uniform(0, np.pi), rng.uniform(14, 80)
            y, x = np.ogrid[: size[0], : size[1]]
            phase = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
            wave = np.sin(phase * (2 * np.pi / period))
            return np.asarray(np.clip(wave * rng.uniform(1, 8), -1, 1), np.float32)
        case 3:  # bricks of differing shade with joints between them, made at half the size
            high, wide = int(rng.integers(24, 80)), int(rng.integers(40, 130))
            y, x = np.ogrid[: size[0] : 2, : size[1] : 2]
            shifted = x + (y // high % 2) * (wide // 2)
            bricks = (size[0] // high + 1, size[1] // wide + 2)
            shades = rng.uniform(-0.8, 0.8, bricks).astype(np.float32)[y // high, shifted // wide]
            joints = (shifted % wide < 4) | (y % high < 4)
            return _enlarge(np.where(joints, np.float32(1.5), shades), size)
        case _:  # soft discs, like lights out of focus; at a quarter of the size as they are soft
            small = np.zeros((size[0] // 4, size[1] // 4), np.float32)
            for _ in range(int(rng.integers(5, 25))):
                centre = int(rng.integers(small.shape[1])), int(rng.integers(small.shape[0]))
                cv2.circle(small, centre, int(rng.integers(3, 22)), rng.uniform(-1.2, 1.2), -1)
            return _enlarge(np.asarray(cv2.blur(small, (5, 5)), np.float32), size)


def paint(scene: Image, mask: Mask, view: View, colour: Colour, opacity: float) -> Image:
    """Return the scene with `colour` laid on where `mask`, seen through `view`, is set."""
    cover = cv2.warpPerspective(mask, view, scene.shape[1::-1])
    x, y, wide, high = cv2.boundingRect(cover)
    if not wide:
        return scene
    spot = np.s_[y : y + high, x : x + wide]
    share = cover[spot] * np.float32(opacity / 255)
    layer = np.full((high, wide, 3), colour, np.uint8)
    painted = np.array(scene)
    painted[spot] = cv2.blendLinear(layer, scene[spot], share, 1 - share)
    return painted


def encode(image: Image, quality: int) -> bytes:
    """Return an image as a JPEG file; raise ValueError when OpenCV cannot encode it."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode a {image.shape} image as JPEG")
    return data.tobytes()


def expose(rng: np.random.Generator, scene: Image, *, blur: int = 5) -> Image:
    """Return the scene as a camera takes it: lit unevenly, out of focus or shaken, and noisy.

    `blur` is the most pixels, at least 2, by which a point is smeared to either side.
    """
    high, wide = size = scene.shape[0], scene.shape[1]
    # Light: a slope, darker corners, the edge of a shadow. It is smooth: made small, then enlarged.
    y, x = np.mgrid[-1:1:48j, -1:1:64j]
    slope = x * rng.uniform(-0.25, 0.25) + y * rng.uniform(-0.25, 0.25)
    light = (1 + slope) * (1 - rng.uniform(0, 0.25) * (x**2 + y**2))
    if rng.random() < 0.4:
        inside = x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) + rng.uniform(-0.4, 0.4)
        light *= 1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-rng.uniform(10, 30) * inside))
    factors = _enlarge((light * rng.uniform(0.75, 1.15)).astype(np.float32), size)
    factors += rng.standard_normal(size, np.float32) * np.float32(rng.uniform(0, 0.07))
    coarse = rng.standard_normal((high // 3, wide // 3, 3), np.float32)
    speckle = cv2.resize(_quantize(coarse, rng.uniform(0, 6), _ZERO), size[::-1])
    levels = cv2.cvtColor(_quantize(factors, _FULL, 0), cv2.COLOR_GRAY2BGR)
    if rng.random() >= 0.35:
        if rng.random() < 0.5:  # out of focus
            scene = np.asarray(
                cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 0.48 * blur)), np.uint8
            )
        else:  # shaken along a line of 5 pixels or more
            side = 2 * int(rng.integers(2, blur + 1)) + 1
            kernel = np.zeros((side, side), np.float32)
            angle, middle = rng.uniform(0, np.pi), side // 2
            tip = np.rint(np.array([np.cos(angle), np.sin(angle)]) * middle).astype(int)
            cv2.line(kernel, (middle - tip).tolist(), (middle + tip).tolist(), 1.0)
            scene = np.asarray(cv2.filter2D(scene, -1, kernel / kernel.sum()), np.uint8)
    lit = cv2.multiply(scene, levels, scale=1 / _FULL)
    return np.asarray(cv2.addWeighted(lit, 1, speckle, 1, -_ZERO), np.uint8)


def _enlarge(plane: Plane, size: Size) -> Plane:
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _quantize(plane: Plane, scale: float, zero: float) -> Image:
    return np.asarray(cv2.addWeighted(plane, scale, plane, 0, zero, dtype=cv2.CV_8U), np.uint8)
