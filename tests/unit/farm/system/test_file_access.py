"""Who may use a file, and small files that are missing, unreadable or no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.system.file_access import READ, WRITE, User, has_acl, refusal, text


@pytest.mark.parametrize(
    ("mode", "uid", "group", "allowed"),
    [
        (0o660, 0, False, True),
        (0o600, 0, False, True),
        (0o600, 7, False, True),
        (0o060, 7, True, False),  # the owner's bits hold for the owner
        (0o660, 8, True, True),
        (0o640, 8, True, False),
        (0o606, 8, True, False),
        (0o660, 8, False, False),
        (0o666, 8, False, True),
    ],
)
def test_a_mode_grants_rights(mode: int, uid: int, group: bool, allowed: bool) -> None:
    status = os.stat_result((mode, 0, 0, 1, 7, 70, 0, 0, 0, 0))
    user = User(uid=uid, groups=frozenset({70} if group else {71}))
    assert user.may(status, READ | WRITE) is allowed


def test_why_a_file_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    assert refusal(file) is None
    assert refusal(tmp_path) == "not a file"
    assert refusal(tmp_path / "missing") == "no such file"
    assert refusal(Path("/" + "x" * 300)) == "File name too long"

    def barred(*_arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", barred)
    assert refusal(file) == "Permission denied"


def test_a_system_file_is_text_whatever_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xffname\0\n")
    assert text(file) == "\ufffdname"
    assert text(tmp_path) is None


def test_a_plain_or_missing_file_has_no_acl(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not has_acl(tmp_path / "file")
    assert not has_acl(tmp_path / "missing")


def test_the_current_user_may_what_the_kernel_allows(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o600)
    user = User.current()
    assert user.may(file.stat(), READ | WRITE)
    assert (user.uid, os.getegid() in user.groups) == (os.geteuid(), True)
