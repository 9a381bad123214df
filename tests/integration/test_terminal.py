"""What a terminal shows of a command: soon something, colours where it can, no bar left over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.helpers.programs import FAST, NPU_FARM, Programs
from tests.helpers.terminals import ENV, open_terminal, plain, read_to_end
from tests.integration.test_tune import SHORT

# Writes to the terminal when one of the libraries that take long is about to be imported.
IMPORTS = """
import os, sys
class Seen:
    def find_spec(self, name, path=None, target=None):
        if name in {"numpy", "cv2", "zmq", "pydantic", "rich"}:
            os.write(2, f"<{name}>".encode())
sys.meta_path.insert(0, Seen())
"""


def shown(programs: Programs, *words: str, **env: str) -> str:
    """Run a command on a terminal to its end; return all that it has written."""
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with open_terminal() as (here, there):
        programs.start(*words, stdout=there, stderr=there, env={**kept, **ENV, **env})
        os.close(there)
        return read_to_end(here)


@pytest.mark.parametrize("name", ["run", "bench", "tune", "doctor"])
def test_the_first_word_comes_before_slow_imports(
    name: str, programs: Programs, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(IMPORTS)
    text = shown(programs, NPU_FARM, name, "no-such-config", PYTHONPATH=str(tmp_path))
    assert "<pydantic>" in text
    assert text.startswith(("   starting ...\r", "   checking ...\r"))
    assert "error: no-such-config" in plain(text)


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_failed_image_is_red(
    quiet: tuple[str, ...], programs: Programs, tmp_path: Path, renders: list[Path]
) -> None:
    (tmp_path / "empty.jpg").touch()
    words = (NPU_FARM, "run", *FAST, *quiet, str(renders[0]), str(tmp_path / "empty.jpg"))
    text = shown(programs, *words)
    assert "\x1b[31merror: empty: " in text
    assert "\x1b[31mFailed\x1b[0m" in text


def test_a_dumb_terminal_gets_plain_lines(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    text = shown(programs, NPU_FARM, "run", *FAST, str(tmp_path / "empty.jpg"), TERM="dumb")
    assert "error: empty: " in text
    assert "\x1b" not in text
    assert "\nstarting workers: 3\r\n" in text


def test_a_tune_shows_the_time_that_is_left(
    programs: Programs, tmp_path: Path, renders: list[Path]
) -> None:
    config = tmp_path / "board.yaml"
    config.write_text("platform: rk3566\nruntime: simulated\ncpu: all\n")
    words = (sys.executable, "-c", SHORT, "tune", str(config), str(renders[0].parent))
    text = shown(programs, *words)
    assert "size 1, decoders auto" in text
    assert "at most 0:00:" in text


@pytest.mark.parametrize("to", ["pipe", "file"])
def test_no_bar_stands_where_the_reader_of_a_pipe_may_write(
    to: str, programs: Programs, tmp_path: Path, renders: list[Path]
) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    words = (NPU_FARM, "run", *FAST, *map(str, renders))
    with open_terminal() as (here, there), (tmp_path / "lines").open("w") as file:
        output = {"stdout": file} if to == "file" else {}
        programs.start(*words, stderr=there, env={**kept, **ENV}, **output)
        os.close(there)
        text = read_to_end(here)
    assert ("\x1b[2K" in text) is (to == "file")
    assert f"Processed {len(renders)} images" in text
