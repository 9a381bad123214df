"""Text for a terminal: escaped, in columns, with commands that can be pasted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.system.terminal import columns, printable, shell_command


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text.jpg", "plain text.jpg"),
        ("größe 猫 é.jpg", "größe 猫 é.jpg"),
        ("", ""),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("bell\x07 null\x00 del\x7f", r"bell\x07 null\x00 del\x7f"),
        ("c1 \x9b31m", r"c1 \x9b31m"),
        ("right to left \u202egpj.exe", r"right to left \u202egpj.exe"),
        ("line\u2028separator", r"line\u2028separator"),
        (os.fsdecode(b"caf\xe9"), r"caf\udce9"),
        ("private \U000f0000", r"private \U000f0000"),
    ],
)
def test_control_characters_and_stray_bytes_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_columns_are_aligned_and_end_without_blanks() -> None:
    assert columns(["name", "n"], [["a", "1"], ["longer", "200"]]) == [
        "name      n",
        "a         1",
        "longer  200",
    ]
    assert columns(["name"], [["a"]]) == ["name", "a"]


def test_a_command_has_its_path_if_the_shell_does_not_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "my env" / "bin" / "npu-farm"
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.setattr("sys.executable", str(program.with_name("python3")))
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.chdir(tmp_path)
    assert shell_command("npu-farm plan x.yaml") == "'my env/bin/npu-farm' plan x.yaml"
    monkeypatch.chdir("/")
    assert shell_command("npu-farm plan x.yaml") == f"'{program}' plan x.yaml".replace("'/", "'", 1)
    monkeypatch.chdir(program.parent)
    assert shell_command("sudo reboot") == "sudo reboot"
    monkeypatch.setattr("shutil.which", lambda _name: "/usr/bin/npu-farm")
    assert shell_command("npu-farm plan x.yaml") == "npu-farm plan x.yaml"
