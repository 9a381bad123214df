"""The 36 characters as pen strokes: typefaces, masks, plates behind them, views of them.

OpenCV's text functions are not used: version 5 replaced the Hershey fonts of version 4, and a
picture must not depend on which of the two is installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.uint8]
Points: TypeAlias = npt.NDArray[np.float64]
View: TypeAlias = npt.NDArray[np.float64]

_CELL: Final = 18  # grid units along each side of a mask: a widened, slanted, serifed W still fits
UNIT: Final = 18  # pixels per grid unit: a mask is about as fine as the largest render needs
SIDE: Final = _CELL * UNIT
_CAP_HEIGHT: Final = 10.0  # grid units from baseline to the top of a capital
_ADVANCE: Final = 6.0  # grid units from the left to the right edge of a plain letter
_WIDE: Final = {"M": 1.25, "W": 1.35}  # squeezed to a plain width their middles would clog
_SERIF: Final = 1.3  # grid units a serif reaches to either side
_PLAIN: Final = "T"  # takes no serif: with a foot it would read as I
_SHIFT: Final = 4  # fractional bits of the coordinates handed to OpenCV
_NEAR: Final = 0.84  # share of its distance from the centre that perspective leaves a corner
_FAR: Final = 1.04
_HOLLOW: Final = 0.36  # grid units: line width of a hollow letter

# A stroke is a start point followed by pieces, on a grid 6 wide and 10 high with y downwards:
#   L x,y        a straight line
#   H x,y        a quarter of an ellipse that leaves horizontally
#   V x,y        a quarter of an ellipse that leaves vertically
#   Q a,b,x,y    a quadratic curve with control point a,b
# Zero is slashed or dotted, one has a flag and I two bars, so no two characters share a shape.
STROKES: Final = {
    "0": ("3,0 H5.6,5 V3,10 H0.4,5 V3,0",),
    "1": ("0.9,2.7 L3.1,0 L3.1,10", "0.9,10 L5.3,10"),
    "2": ("0.3,2.8 V3,0 H5.7,2.8 Q5.7,4.8,3,7.1 L0.2,10 L6,10",),
    "3": ("0.4,2.2 V3,0 H5.6,2.4 V3,4.8 L1.9,4.8", "3,4.8 H6,7.4 V3,10 H0.1,7.6"),
    "4": ("4.4,10 L4.4,0 L0,7 L6,7",),
    "5": ("5.5,0 L0.9,0 L0.6,4.7 Q1.6,3.8,3,3.8 H6,6.9 V3,10 H0.1,8",),
    "6": ("5.5,1.9 V3.2,0 H0,5.5 L0,6.8 V3,10 H6,6.8 V3,3.9 H0,6.8",),
    "7": ("0,0 L6,0 L2,10",),
    "8": ("3,4.7 H0.5,2.35 V3,0 H5.5,2.35 V3,4.7 H6,7.3 V3,10 H0,7.3 V3,4.7",),
    "9": ("0.5,8.1 V2.8,10 H6,4.5 L6,3.2 V3,0 H0,3.2 V3,6.1 H6,3.2",),
    "A": ("0,10 L3,0 L6,10", "1.1,6.6 L4.9,6.6"),
    "B": ("0.3,0 L0.3,10 L3.2,10 H6,7.3 V3.2,4.8 L0.3,4.8", "0.3,0 L3,0 H5.5,2.4 V3,4.8"),
    "C": ("5.8,2.7 V3.1,0 H0,5 V3.1,10 H5.8,7.3",),
    "D": ("0.3,0 L0.3,10 L2.2,10 H6,5 V2.2,0 L0.3,0",),
    "E": ("5.6,0 L0.4,0 L0.4,10 L5.8,10", "0.4,4.9 L4.9,4.9"),
    "F": ("0.4,10 L0.4,0 L5.8,0", "0.4,5 L4.9,5"),
    "G": ("5.8,2.5 V3.1,0 H0,5 V3.1,10 H5.8,7.4 L5.8,5.5 L3.3,5.5",),
    "H": ("0.2,0 L0.2,10", "5.8,0 L5.8,10", "0.2,4.9 L5.8,4.9"),
    "I": ("3,0 L3,10", "0.9,0 L5.1,0", "0.9,10 L5.1,10"),
    "J": ("2.3,0 L4.9,0 L4.9,7 V2.6,10 H0.2,7.3",),
    "K": ("0.4,0 L0.4,10", "5.7,0 L0.4,6", "2.3,4 L6,10"),
    "L": ("0.5,0 L0.5,10 L5.7,10",),
    "M": ("0,10 L0,0 L3,6.6 L6,0 L6,10",),
    "N": ("0.1,10 L0.1,0 L5.9,10 L5.9,0",),
    "O": ("3,0 H6.3,5 V3,10 H-0.3,5 V3,0",),
    "P": ("0.4,10 L0.4,0 L3,0 H6,2.8 V3,5.6 L0.4,5.6",),
    "Q": ("3,0 H6.3,5 V3,10 H-0.3,5 V3,0", "3.6,6.9 L6.4,11"),
    "R": ("0.4,10 L0.4,0 L3,0 H5.9,2.7 V3,5.4 L0.4,5.4", "3,5.4 L6,10"),
    "S": ("5.7,2.3 V3,0 H0.4,2.5 Q0.4,4.3,3,4.9 Q5.9,5.6,5.9,7.4 V3,10 H0.1,7.7",),
    "T": ("0,0 L6,0", "3,0 L3,10"),
    "U": ("0.1,0 L0.1,6.8 V3,10 H5.9,6.8 L5.9,0",),
    "V": ("0,0 L3,10 L6,0",),
    "W": ("0,0 L1.4,10 L3,2.6 L4.6,10 L6,0",),
    "X": ("0.2,0 L5.8,10", "5.8,0 L0.2,10"),
    "Y": ("0,0 L3,4.9 L6,0", "3,4.9 L3,10"),
    "Z": ("0.2,0 L5.8,0 L0.1,10 L6,10",),
}
_SLASH: Final = "1.5,7.7 L4.5,2.3"
_DOT: Final = "3,4.7 L3,5.3"
_BARS: Final = {"7": "1.9,5 L5.3,5", "Z": "1.4,5 L4.6,5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeface:
    """A style to draw characters in; lengths are in grid units, a capital is 10 high."""

    weight: float
    """Width of the pen, 0.65 (thin) to 1.9 (heavy)."""
    nib: float
    """Thickness of the pen across, as a share of its width: 1 is a round pen, 0.4 a broad nib."""
    width: float
    """Stretch along x, about 0.8 (condensed) to 1.2 (extended)."""
    slant: float
    """Shear to the right per unit of height; negative leans to the left."""
    squareness: float
    """Exponent of the curves: 2 is an ellipse, larger ones approach a rectangle."""
    facets: int
    """Straight pieces in a quarter of a curve: 3 looks cut, 12 looks round."""
    serif: bool
    """Whether upright strokes end in bars."""
    dotted: bool
    """Whether zero carries a dot instead of a slash."""
    barred: bool
    """Whether seven and Z carry a bar."""
    hollow: bool
    """Whether only the outline is drawn."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Typeface:
        """Return a random legible typeface: hollow and broad-nibbed letters are never thin."""
        hollow, broad = rng.random() < 0.1, rng.random() < 0.3
        return cls(
            weight=rng.uniform(1.4, 1.9) if hollow or broad else rng.uniform(0.65, 1.8),
            nib=rng.uniform(0.4, 0.8) if broad else 1.0,
            width=rng.uniform(0.78, 1.2),
            slant=rng.uniform(-0.12, 0.28),
            squareness=rng.uniform(1.9, 3.0),
            facets=int(rng.choice([3, 12, 12])),
            serif=rng.random() < 0.3,
            dotted=rng.random() < 0.4,
            barred=rng.random() < 0.4,
            hollow=hollow,
        )

    def draw(self, label: str) -> Mask:
        """Draw one character centred on a SIDE x SIDE uint8 mask, 255 on ink and 0 off it.

        Raises KeyError when `label` is not one of the 36 characters.
        """
        mask: Mask = np.zeros((SIDE, SIDE), np.uint8)
        pen = max(1, round(self.weight * self.nib * UNIT))  # the part both axes of the nib share
        for path in self.paths(label):
            fixed = np.rint(path * 2**_SHIFT).astype(np.int32)
            cv2.polylines(mask, [fixed], False, 255, pen, cv2.LINE_AA, _SHIFT)
        if self.nib < 1.0:  # widen along x only, which makes stems heavier than bars
            extra = max(1, round(self.weight * (1 - self.nib) * UNIT))
            mask = np.asarray(cv2.dilate(mask, np.ones((1, extra), np.uint8)), np.uint8)
        if self.hollow:
            side = 2 * round(_HOLLOW * UNIT) + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            mask = np.asarray(cv2.subtract(mask, cv2.erode(mask, kernel)), np.uint8)
        return mask

    def paths(self, label: str) -> list[Points]:
        """Return a character's strokes in pixels on the mask, one N x 2 array of x, y each."""
        texts = STROKES[label]
        if label == "0":
            texts = (*texts, _DOT if self.dotted else _SLASH)
        elif self.barred and label in _BARS:
            texts = (*texts, _BARS[label])
        strokes = [self.stroke(text) for text in texts]
        if self.serif and label not in _PLAIN:
            # Bars at those ends that arrive steeply at the baseline or the cap line.
            strokes += [
                end + np.array([[-_SERIF, 0.0], [_SERIF, 0.0]])
                for stroke in strokes
                for end, inner in ((stroke[0], stroke[1]), (stroke[-1], stroke[-2]))
                if end[1] in (0.0, _CAP_HEIGHT) and abs(end[1] - inner[1]) > abs(end[0] - inner[0])
            ]
        paths = []
        for stroke in strokes:
            x, y = (stroke - [_ADVANCE / 2, _CAP_HEIGHT / 2]).T
            sheared = x * self.width * _WIDE.get(label, 1.0) - y * self.slant
            paths.append(np.stack([sheared, y], axis=1) * UNIT + SIDE / 2)
        return paths

    def stroke(self, text: str) -> Points:
        """Return the points, N x 2 in grid units, of one stroke of STROKES."""
        start, *pieces = text.split()
        points = [np.array([start.split(",")], np.float64)]
        steps = np.arange(1, self.facets + 1)[:, None] / self.facets
        power = 2 / self.squareness
        along = np.sin(steps * np.pi / 2) ** power
        across = 1 - np.clip(np.cos(steps * np.pi / 2), 0, 1) ** power
        for piece in pieces:
            begin, numbers = points[-1][-1], np.array(piece[1:].split(","), np.float64)
            end = numbers[-2:]
            match piece[0]:
                case "L":
                    points.append(end[None])
                case "Q":
                    control = 2 * steps * (1 - steps) * numbers[:2]
                    points.append((1 - steps) ** 2 * begin + control + steps**2 * end)
                case "H":
                    points.append(begin + np.hstack([along, across]) * (end - begin))
                case "V":
                    points.append(begin + np.hstack([across, along]) * (end - begin))
        return np.concatenate(points)


def random_backing(rng: np.random.Generator, glyph: Mask) -> Mask:
    """Return a mask of what lies behind a character: a disc, a plate, a halo or nothing."""
    plate, middle = np.zeros_like(glyph), SIDE // 2
    match int(rng.integers(4)):
        case 0:
            cv2.circle(plate, (middle, middle), int(rng.uniform(6.8, 8.4) * UNIT), 255, -1)
        case 1:
            x, y = (rng.uniform((5.0, 6.2), (8.0, 8.4)) * UNIT).astype(int)
            plate[middle - y : middle + y, middle - x : middle + x] = 255
        case 2:
            side = 2 * int(rng.uniform(0.4, 1.1) * UNIT) + 1
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            plate = np.asarray(cv2.dilate(glyph, kernel), np.uint8)
    return plate


def random_view(rng: np.random.Generator, glyph: Mask, size: tuple[int, int]) -> View:
    """Return a 3 x 3 perspective of a mask into an image (height, width), all ink inside it."""
    return view_of_height(rng, glyph, size, rng.uniform(0.33, 0.74))


def view_of_height(
    rng: np.random.Generator, glyph: Mask, size: tuple[int, int], share: float
) -> View:
    """Return a random view as `random_view`, but with capitals of about the height asked for.

    `share` is of the image's shorter side, 0 to 1; what would not fit is made as large as it can.
    """
    reach = float(np.linalg.norm(cv2.boundingRect(glyph)[2:])) / 2 / UNIT * _FAR
    scale = min(size) * min(share / _CAP_HEIGHT, 0.5 / reach)
    extent = np.array(size[::-1]) / 2
    room = np.maximum(extent - scale * reach, 0)
    centre = extent + rng.uniform(-room, room)
    turn = np.deg2rad(rng.uniform(-17, 17))  # at most: 6 and 9, N and Z must stay apart
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (_CELL / 2 * scale)
    corners = centre + square @ rotation * rng.uniform(_NEAR, _FAR, (4, 2))
    source = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, corners.astype(np.float32)), np.float64)
