"""Labels files: one name a line, as many as the model has outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farm.config.labels import LONGEST_NAME, MOST_BYTES, Labels
from farm.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.txt"


def test_a_file_is_read_with_its_name(file: Path) -> None:
    file.write_text("\ufefftench, Tinca tinca\r\n brown bear\r\n\u00e4\n\n", encoding="utf-8")
    assert Labels.load(file) == Labels(file, ("tench, Tinca tinca", "brown bear", "\u00e4"))
    named = file.with_suffix(".JSON")
    named.write_text('["\u00e4", "b"]', encoding="utf-8")
    assert Labels.load(named).names == ("\u00e4", "b")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"a\n" * (MOST_BYTES // 2 + 1)])
def test_a_file_without_names_is_refused(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        Labels.load(file)


def test_a_name_that_is_too_long_for_a_line_of_results_is_refused(file: Path) -> None:
    file.write_text("x" * LONGEST_NAME + "\nb\n")
    assert len(Labels.load(file).names) == 2
    file.write_text("b\n" + "x" * (LONGEST_NAME + 1) + "\n")
    with pytest.raises(ConfigError, match=f"{LONGEST_NAME + 1} characters"):
        Labels.load(file)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: not a file"):
        Labels.load(tmp_path)


@pytest.mark.parametrize(("count", "classes"), [(2, 3), (3, 2), (1000, 1001), (1001, 1000)])
def test_another_number_of_labels_than_outputs_is_refused(count: int, classes: int) -> None:
    labels = Labels(Path("l.txt"), ("x",) * count)
    labels.check(count)
    with pytest.raises(ConfigError, match=rf"l\.txt: {count} .*\b{classes}\b") as caught:
        labels.check(classes)
    assert ("background" in str(caught.value)) == (count > 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", "n02123159 tiger cat\nn01440764 tench, Tinca\n"),
        ("l.txt", "1: n01440764 tench, Tinca\r\n0: n02123159 tiger cat\r\n"),
        ("l.json", '{"0": ["n02123159", "tiger cat"], "1": ["n01440764", "tench, Tinca"]}'),
    ],
)
def test_wordnet_numbers_belong_to_the_names_beside_them(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    labels = Labels.load(tmp_path / name)
    assert labels.names == ("tiger cat", "tench, Tinca")
    found = labels.wordnet_numbers()
    assert found == {"n02123159": "tiger cat", "n01440764": "tench, Tinca"}


def test_labels_without_wordnet_numbers_have_none(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("tiger cat\ntench\n")
    assert Labels.load(tmp_path / "l.txt").wordnet_numbers() == {}
