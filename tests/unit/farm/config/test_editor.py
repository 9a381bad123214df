"""Setting values in a config's text: the lines of these keys change, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farm.config.editor import read_values, set_schema, set_values
from farm.errors import ConfigError
from tests.helpers.support import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
TUNED = {"size": 12, "decoders": 2, "decoder_cpu": "slow"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_bundled_configs_keep_their_comments_order_and_columns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    changed = set_values(text, TUNED)
    pairs = list(zip(text.splitlines(), changed.splitlines(), strict=False))
    for old, new in pairs:
        assert old == new or re.match(r"(size|decoders|decoder_cpu): ", new)
        assert old.partition(" # ")[1:] == new.partition(" # ")[1:] or old.startswith("# ")
        assert old.rfind("#") == new.rfind("#")
    assert yaml.safe_load(changed) == {**yaml.safe_load(text), **TUNED}
    assert set_values(changed, TUNED) == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("size: 3\n", "size: 6\n"),
        ("size: 3", "size: 6"),
        ("size:   3   # so many\n", "size:   6   # so many\n"),
        ("size: 3 # so many\n", "size: 6 # so many\n"),
        ("size:\n", "size: 6\n"),
        ("size: auto\r\ncpu: all\r\n", "size: 6\r\ncpu: all\r\n"),
        ("a: 1\r\n", "a: 1\r\nsize: 6\r\n"),
        ("# size: 3   # so many\n", "size: 6     # so many\n"),
        ("#size: 3\n", "size: 6\n"),
        ("# size: 3\nsize: 9\n", "# size: 3\nsize: 6\n"),
        ("# size: how many there are\n", "# size: how many there are\nsize: 6\n"),
        ("platform: host", "platform: host\nsize: 6\n"),
        ("input:\n  size: 3\n", "input:\n  size: 3\nsize: 6\n"),
        ("input:\n  # size: 3\n  width: 4\n", "input:\n  # size: 3\n  width: 4\nsize: 6\n"),
        ("sizes: 3\n", "sizes: 3\nsize: 6\n"),
        ("size: 3\nsize: 4\n", "size: 3\nsize: 6\n"),  # the last is the one that counts
        ("truth: 'a # size: 3'\n", "truth: 'a # size: 3'\nsize: 6\n"),
    ],
)
def test_one_key_is_set_where_it_stands(text: str, changed: str) -> None:
    assert set_values(text, {"size": 6}) == changed


@pytest.mark.parametrize("value", ["a b", "it's", "x: y", "a #b", "ä", "12", "true", "#", " "])
def test_a_path_is_quoted_where_it_has_to_be(value: str) -> None:
    for old in ("old.onnx", "'a # b'", '"a \\" # b"', "a#b"):
        changed = set_values(f"model: {old}   # ours\nsize: 3\n", {"model": value})
        assert yaml.safe_load(changed) == {"model": value, "size": 3}
        assert "# ours\nsize: 3\n" in changed


@pytest.mark.parametrize("text", ["{platform: host, size: 3}\n", "a: [1,\nsize: 3\n", "- a\n", "x"])
def test_what_can_not_be_changed_by_lines_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="size: 6"):
        set_values(text, {"size": 6})


words = st.sampled_from(["a", "size", "decoders", "x y", "#", "# size: 2", "'", ": ", "  ", "1"])
lines = st.lists(words, max_size=4).map("".join)


@given(st.lists(lines | st.just("size: 3  # n"), max_size=6).map("\n".join), st.integers(1, 99))
def test_any_text_is_refused_or_keeps_all_other_values(text: str, size: int) -> None:
    try:
        changed = set_values(text, {"size": size})
    except ConfigError:
        return
    assert yaml.safe_load(changed) == {**read_values(text), "size": size}
    assert set_values(changed, {"size": size}) == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("# a\n# yaml-language-server: $schema=a.json\nb: 1", "new/a.json"),
        ("# yaml-language-server: $schema=../a.json\n", "new/../a.json"),
        ("# yaml-language-server: $schema=/a.json\n", None),
        ("# yaml-language-server: $schema=https://a/b.json\n", None),
        ("# $schema=a.json\n", None),
        ("a: 1", None),
    ],
)
def test_the_header_names_the_schema_by_a_relative_path_or_stays(
    text: str, changed: str | None
) -> None:
    old = text.partition("=")[2].partition("\n")[0]
    assert set_schema(text, lambda path: f"new/{path}") == text.replace(old, changed or old)
