"""Photo-like sample images of several characters, and where they are: for detectors.

An image is a pure function of (seed, index), as in `renders`. A change to any of the draws calls
for a new model and for new figures in models/README.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import cv2
import numpy as np

from farm.errors import OutputError
from farm.sources.glyphs import Mask, Typeface, View, random_backing, view_of_height
from farm.sources.renders import CLASSES, LONG_SIDE, QUALITY
from farm.sources.scene import Image, Size, encode, expose, paint, random_tint, random_wall
from farm.system.atomic_file import atomic_write
from farm.system.log import LOG

ASPECT: Final = (1.0, 1.8)  # long side by short side: from a square to more than 16:9
PORTRAIT: Final = 0.4  # share of images that stand upright
MOST: Final = 12  # characters on one image
HEIGHT: Final = (24, 220)  # pixels of a capital, as often between 24 and 48 as between 96 and 192
MOST_HIDDEN: Final = 0.2  # of a character's ink: an E without its foot would be an F
TRUTH: Final = "scenes.json"
PREFIX: Final = "scene-"  # of an image's name
_TRIES: Final = 8  # places for a character; if none will do, the image has one fewer
_BLUR: Final = 2  # pixels: the smallest characters must stay legible
_SOLID: Final = 96  # of 255: what is covered more than that hides what is behind it

Box: TypeAlias = tuple[int, int, int, int]  # x1 y1 x2 y2 in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A character on an image, and the box around what is visible of its ink."""

    label: str
    """One of CLASSES."""
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One sample image of several characters, and the JPEG quality it is stored at."""

    image: Image
    """BGR, uint8, H x W x 3; the long side is 460 to 540 pixels."""
    objects: tuple[Shown, ...]
    """1 to 12 characters, from back to front."""
    quality: int
    """JPEG quality, 60 to 95."""

    def jpeg(self) -> bytes:
        """Return the image as a JPEG file; raise ValueError when OpenCV cannot encode it."""
        return encode(self.image, self.quality)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ink:
    label: str
    visible: Mask  # 0 or 1, of the image's size
    whole: int  # pixels, before anything hid some of them

    def behind(self, cover: Mask) -> _Ink:
        return _Ink(label=self.label, visible=self.visible & ~cover, whole=self.whole)

    def legible(self) -> bool:
        return cv2.countNonZero(self.visible) >= self.whole * (1 - MOST_HIDDEN)

    def shown(self) -> Shown:
        x, y, wide, high = cv2.boundingRect(self.visible)
        return Shown(label=self.label, box=(x, y, x + wide, y + high))


class _Canvas:
    """An image, while things are put on it from back to front."""

    def __init__(self, rng: np.random.Generator, size: Size) -> None:
        self._rng, self._size = rng, size
        self._luma = rng.uniform(0.08, 0.42) if rng.random() < 0.5 else rng.uniform(0.5, 0.9)
        self._ground = random_tint(rng, self._luma)
        self.image = random_wall(rng, size, self._ground)
        self._covered: Mask = np.zeros(size, np.uint8)  # 1 where the wall is hidden
        self.inks: list[_Ink] = []

    def clutter(self) -> None:
        """Put a beam, a disc or a splinter of any colour on the wall: nothing like a character."""
        rng, (high, wide) = self._rng, self._size
        shape: Mask = np.zeros(self._size, np.uint8)
        points = (rng.uniform(-0.1, 1.1, (3, 2)) * (wide, high)).astype(np.int32)
        match int(rng.integers(3)):
            case 0:  # from one end to the other
                ends = points[:2] + np.array([[-2 * wide, 0], [2 * wide, 0]])
                cv2.line(shape, ends[0], ends[1], 255, int(rng.integers(2, 24)), cv2.LINE_AA)
            case 1:
                cv2.circle(shape, points[0], int(rng.integers(8, 60)), 255, -1, cv2.LINE_AA)
            case _:
                near = points[0] + (points - points[0]) * rng.uniform(0.1, 0.4)
                cv2.fillPoly(shape, [near.astype(np.int32)], 255, cv2.LINE_AA)
        colour = random_tint(rng, rng.uniform(0.1, 0.9))
        self.image = paint(self.image, shape, np.eye(3), colour, 1.0)
        self._covered |= _solid(shape)

    def place(self, label: str, height: float) -> None:
        """Put a character where it hides little of the others, if there is such a place."""
        glyph = Typeface.random(self._rng).draw(label)
        backing = random_backing(self._rng, glyph)
        bare = not backing.any()  # legible on the wall only
        for _ in range(_TRIES):
            view = view_of_height(self._rng, glyph, self._size, height / min(self._size))
            ink = self._seen(glyph, view)
            cover = ink | self._seen(backing, view)
            inks = [each.behind(cover) for each in self.inks]
            if all(each.legible() for each in inks) and not (bare and (ink & self._covered).any()):
                whole = cv2.countNonZero(ink)
                self.inks = [*inks, _Ink(label=label, visible=ink, whole=whole)]
                self._covered |= cover
                self._paint(glyph, backing, view, height)
                return

    def _seen(self, mask: Mask, view: View) -> Mask:
        return _solid(cv2.warpPerspective(mask, view, self._size[::-1]))

    def _paint(self, glyph: Mask, backing: Mask, view: View, height: float) -> None:
        rng = self._rng
        luma, ground = self._luma, self._ground
        if backing.any():
            luma = rng.uniform(0.08, 0.42) if rng.random() < 0.5 else rng.uniform(0.5, 0.9)
            ground = random_tint(rng, luma)
            self.image = paint(self.image, backing, view, ground, 1.0)
        # Any hues, but ground and ink are never close in brightness.
        step = rng.uniform(0.3, 0.6)
        ink = random_tint(rng, min(0.95, luma + step) if luma < 0.45 else max(0.05, luma - step))
        if rng.random() < 0.3:  # a raised letter throws a shadow
            x, y = rng.uniform((-0.03, 0.01), (0.03, 0.04)) * height
            offset = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
            self.image = paint(self.image, glyph, offset @ view, ground * 0.45, 0.5)
        self.image = paint(self.image, glyph, view, ink, rng.uniform(0.8, 1.0))


def _solid(mask: Any) -> Mask:
    return np.asarray(mask > _SOLID, np.uint8)


def render_scene(index: int, *, seed: int) -> Scene:
    """Render image number `index` of the endless series that `seed` names.

    Raises ValueError when `index` or `seed` is negative.
    """
    if index < 0 or seed < 0:
        raise ValueError(f"index {index} and seed {seed} must not be negative")
    rng = np.random.default_rng((seed, index))
    long = int(rng.integers(*LONG_SIDE))
    short = round(long / rng.uniform(*ASPECT))
    canvas = _Canvas(rng, (long, short) if rng.random() < PORTRAIT else (short, long))
    for _ in range(int(rng.integers(0, 8))):
        canvas.clutter()
    wanted = int(rng.integers(1, MOST + 1))
    while wanted or not canvas.inks:  # an image without a character would show nothing
        height = float(np.exp(rng.uniform(*np.log(HEIGHT))))
        canvas.place(CLASSES[rng.integers(len(CLASSES))], height)
        wanted = max(0, wanted - 1)
    return Scene(
        image=expose(rng, canvas.image, blur=_BLUR),
        objects=tuple(ink.shown() for ink in canvas.inks),
        quality=int(rng.integers(*QUALITY)),
    )


class Truth:
    """What is on images, in COCO's format; a category's id is its place in CLASSES."""

    def __init__(self) -> None:
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.categories = [{"id": k, "name": label} for k, label in enumerate(CLASSES)]

    def add(self, name: str, made: Scene) -> None:
        """Take in the image that is stored as `name`; images are numbered from 0."""
        number, (high, wide, _) = len(self.images), made.image.shape
        self.images.append({"id": number, "file_name": name, "width": wide, "height": high})
        for each in made.objects:
            x1, y1, x2, y2 = each.box
            size = x2 - x1, y2 - y1
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,  # pycocotools takes 0 for none
                    "image_id": number,
                    "category_id": CLASSES.index(each.label),
                    "bbox": [x1, y1, *size],
                    "area": size[0] * size[1],
                    "iscrowd": 0,
                }
            )


def write_scenes(folder: Path, *, count: int, seed: int) -> list[Path]:
    """Write images 0 to count - 1 as `scene-<seed>-<index>.jpg` and return their paths.

    What is on them goes to `scenes.json` beside them, in COCO's format. Makes the folder if needed.
    A second call writes the same bytes again; other files stay.
    Raises ValueError when `count` or `seed` is negative, OutputError when a file can't be written,
    or when a `scenes.json` is there that no call has written.
    """
    if count < 0 or seed < 0:
        raise ValueError(f"count {count} and seed {seed} must not be negative")
    paths, truth = [], Truth()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_ours(folder / TRUTH)
        for index in range(count):
            made = render_scene(index, seed=seed)
            paths.append(folder / f"{PREFIX}{seed:04d}-{index:06d}.jpg")
            paths[-1].write_bytes(made.jpeg())
            truth.add(paths[-1].name, made)
        with atomic_write(folder / TRUTH, "truth") as part:
            part.write_text(json.dumps(vars(truth)), encoding="ascii")
        if others := len({*folder.glob(f"{PREFIX}*.jpg")} - {*paths}):
            LOG.warning(f"{folder}: {TRUTH} has nothing of {others} other scenes there")
    except OSError as error:
        raise OutputError(f"{folder}: can't be written: {error.strerror}") from error
    return paths


def check_ours(truth: Path) -> None:
    """Raise OutputError for a file that has more than scenes in it: it is somebody's own."""
    try:
        named = [each["file_name"] for each in json.loads(truth.read_bytes())["images"]]
    except FileNotFoundError:
        return
    except (ValueError, LookupError, TypeError):
        named = [""]
    if not all(f"{each}".startswith(PREFIX) for each in named):
        raise OutputError(f"{truth}: a file of your own would be replaced; name another folder")
