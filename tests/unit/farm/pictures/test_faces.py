"""Letters come from a font file, or from OpenCV 5; what a font lacks is known."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ImageFont

from farm.pictures import faces
from farm.pictures.faces import Face, FontFile, OpenCvFont, needs_shaping
from farm.pictures.fonts import BUNDLED

NEEDS_OPENCV_5 = pytest.mark.skipif(
    not hasattr(cv2, "FontFace"), reason="OpenCV has letters of its own from version 5 on"
)
NEEDS_RAQM = pytest.mark.skipif(not faces.CAN_SHAPE, reason="libfribidi is not installed")


def differ(face: Face, *texts: str) -> bool:
    """Whether no two of these texts look the same, and each has ink."""
    drawn = [face.draw(text, 32).mask for text in texts]
    pairs = combinations(drawn, 2)
    return all(mask.any() for mask in drawn) and not any(np.array_equal(a, b) for a, b in pairs)


def test_the_bundled_font_has_european_letters() -> None:
    face = FontFile(BUNDLED)
    assert all(map(face.covers, "aé߯юŁőΩ€…\u2588"))
    assert not any(map(face.covers, "猫한\U0001f408ก"))
    assert differ(face, "é", "ß", "Я", "Ω", "…")


@NEEDS_RAQM
def test_it_joins_arabic_letters() -> None:
    face = FontFile(BUNDLED)
    assert differ(face, "عربى", "شارع", "ع", "عع", "ععع")
    # Between others a letter has another form than alone, and takes less room.
    widths = [face.draw("ع" * count, 64).mask.shape[1] for count in (1, 2, 3)]
    assert widths[2] - widths[1] < widths[0]


@NEEDS_RAQM
def test_it_runs_to_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    to_left = FontFile(BUNDLED).draw("אב", 64).mask
    monkeypatch.setattr(
        ImageFont,
        "truetype",
        partial(ImageFont.truetype, layout_engine=ImageFont.Layout.BASIC),
    )
    as_it_comes = FontFile(BUNDLED).draw("בא", 64).mask
    assert np.array_equal(to_left, as_it_comes)


def test_nothing_that_must_be_laid_out_is_taken_where_nothing_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    face = FontFile(BUNDLED)
    monkeypatch.setattr(faces, "CAN_SHAPE", False)
    assert not any(map(face.covers, "عאि"))
    assert all(map(face.covers, "aéЯ"))


@pytest.mark.parametrize(
    ("char", "needs"), [("ع", True), ("א", True), ("\u0301", True), ("é", False), ("猫", False)]
)
def test_which_letters_must_be_laid_out(char: str, needs: bool) -> None:
    assert needs_shaping(char) is needs


@NEEDS_OPENCV_5
def test_opencv_has_chinese_japanese_and_korean() -> None:
    face = OpenCvFont()
    assert all(map(face.covers, "猫日本か한국어?"))
    assert differ(face, "猫", "日", "か", "한", "국", "?")


@NEEDS_OPENCV_5
@pytest.mark.parametrize("char", "عאकก\U0001f408\u0301")
def test_opencv_is_not_asked_for_what_it_lacks_or_writes_the_wrong_way(char: str) -> None:
    assert not OpenCvFont().covers(char)


@pytest.mark.parametrize("text", ["g", " ", "Ág|", "a b "])
@pytest.mark.parametrize("size", [12, 90])
def test_all_of_a_text_is_on_the_mask(text: str, size: int) -> None:
    kinds: list[Face] = [FontFile(BUNDLED), *([OpenCvFont()] if hasattr(cv2, "FontFace") else [])]
    for face in kinds:
        drawn = face.draw(text, size)
        assert drawn.above + drawn.below == len(drawn.mask)
        wide = face.draw(f"{text}.", size)
        assert wide.mask.shape[1] > drawn.mask.shape[1] >= 1


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    with pytest.raises(OSError, match="unknown"):
        FontFile(tmp_path / "a.ttf")
