"""Each character is drawn by a font that has it; what none has is written as its number."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest

from farm.pictures import fonts as module
from farm.pictures.faces import FontFile
from farm.pictures.fonts import BUNDLED, Fonts, advice, font_files, system_folders


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Fonts:
    """The fonts of a board that has none, with OpenCV 4."""
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    return Fonts(())


def shown(fonts: Fonts, text: str) -> list[str]:
    return [piece for _, piece in fonts.runs(text)]


def test_what_the_bundled_font_has_needs_no_other(bare: Fonts) -> None:
    assert shown(bare, "Straße, café, Яблоко 87 %") == ["Straße, café, Яблоко 87 %"]
    assert bare.missing == set()


def test_two_characters_that_make_a_letter_are_one(bare: Fonts) -> None:
    assert shown(bare, "cafe\u0301") == ["café"]


def test_what_no_font_has_is_written_as_its_number(bare: Fonts) -> None:
    assert shown(bare, "猫 cat \U0001f408") == [r"\u732b cat \U0001f408"]
    assert bare.missing == {"猫", "\U0001f408"}


@pytest.mark.parametrize("char", ["\n", "\x1b", "\u202e", "\ud800", "\u200b"])
def test_what_controls_text_is_written_as_its_number(bare: Fonts, char: str) -> None:
    assert shown(bare, f"a{char}b") == [f"a{char.encode('unicode_escape').decode()}b"]
    assert bare.missing == set()


def test_what_chooses_a_variant_is_left_out(bare: Fonts) -> None:
    assert shown(bare, "❤\ufe0f") == ["❤"]


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="OpenCV has no letters before version 5")
def test_opencv_has_what_no_file_has() -> None:
    fonts = Fonts(())
    runs = fonts.runs("猫 cat 한국어")
    assert [piece for _, piece in runs] == ["猫 ", "cat ", "한국어"]
    assert runs[1][0] is fonts.base
    assert runs[0][0] is runs[2][0] is not fonts.base
    assert fonts.missing == set()


def test_a_file_of_the_system_is_opened_when_it_is_needed(
    bare: Fonts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files the one that has the character."""
    shutil.copy(BUNDLED, tmp_path / "A-Regular.ttf")
    shutil.copy(BUNDLED, tmp_path / "B-Regular.ttf")
    opened = []

    class Named(FontFile):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            self.name = path.name
            opened.append(path.name)

        def covers(self, char: str) -> bool:
            return char == "猫" if self.name == "B-Regular.ttf" else char < "~"

    monkeypatch.setattr(module, "FontFile", Named)
    fonts = Fonts([tmp_path])
    assert shown(fonts, "cat") == ["cat"]
    assert opened == [BUNDLED.name]
    face, piece = fonts.runs("a猫")[1]
    assert isinstance(face, Named)
    assert (face.name, piece) == ("B-Regular.ttf", "猫")
    assert opened == [BUNDLED.name, "A-Regular.ttf", "B-Regular.ttf"]
    assert bare.missing == set()


def test_a_broken_font_is_passed_over(tmp_path: Path, bare: Fonts) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    fonts = Fonts([tmp_path])
    assert shown(fonts, "猫") == [r"\u732b"]
    assert bare.base


def test_plain_fonts_come_first(tmp_path: Path) -> None:
    below = tmp_path / "noto"
    below.mkdir()
    for name in ("X-BoldItalic.ttf", "X-Bold.ttf", "X.pfb", "Serif.OTF"):
        (tmp_path / name).touch()
    (below / "Y.ttc").touch()
    names = [path.name for path in font_files([tmp_path, tmp_path / "missing"])]
    assert names[0] == "Y.ttc"
    assert names[-1] == "X-BoldItalic.ttf"
    assert sorted(names[1:3]) == ["Serif.OTF", "X-Bold.ttf"]


def test_fonts_of_the_user_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert system_folders()[0] == tmp_path / "fonts"
    assert Path("/usr/share/fonts") in system_folders()


@pytest.mark.parametrize(
    ("chars", "packages"),
    [
        ("猫", "fonts-noto-cjk"),
        ("한か", "fonts-noto-cjk"),
        ("क", "fonts-noto-core"),
        ("\U0001f408", "fonts-symbola"),
        ("猫क", "fonts-noto-cjk fonts-noto-core"),
    ],
)
def test_what_to_install_is_said(chars: str, packages: str) -> None:
    advised = advice(set(chars))
    assert advised is not None
    assert advised.endswith(f"\n  sudo apt install {packages}")
    assert all(char in advised for char in chars)


def test_the_library_that_lays_letters_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAN_SHAPE", False)
    assert (advice({"ع"}) or "").endswith("sudo apt install libfribidi0")


def test_nothing_is_said_of_nothing() -> None:
    assert advice(set()) is None
