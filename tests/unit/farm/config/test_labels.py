"""Labels files: one name a line, as many as the model has outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farm.config.labels import Labels
from farm.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.txt"


def test_a_line_is_a_name_blanks_and_all(file: Path) -> None:
    file.write_text("tench, Tinca tinca\n\n brown bear\r\n\u00e4", encoding="utf-8")
    assert Labels.load(file) == Labels(file, ("tench, Tinca tinca", "", " brown bear", "\u00e4"))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_without_names_is_refused(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        Labels.load(file)


@pytest.mark.parametrize(("count", "classes"), [(2, 3), (3, 2), (1000, 1001), (1001, 1000)])
def test_another_number_of_labels_than_outputs_is_refused(count: int, classes: int) -> None:
    labels = Labels(Path("l.txt"), ("x",) * count)
    labels.check(count)
    with pytest.raises(ConfigError, match=rf"l\.txt: {count} .*\b{classes}\b") as caught:
        labels.check(classes)
    assert ("background" in str(caught.value)) == (count > 3)
