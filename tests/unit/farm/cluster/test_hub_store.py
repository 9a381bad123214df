"""The folder of a hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.cluster.hub_store import open_store, read_token
from farm.errors import OutputError


def test_a_token_is_made_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "a") as store:
        token = store.token()
    with open_store(tmp_path / "a") as again:
        assert again.token() == token
    with open_store(tmp_path / "b") as other:
        assert other.token() != token


def test_a_token_of_the_users_is_kept(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mine\n")
    with open_store(tmp_path) as store:
        assert store.token() == "mine"


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff"])
def test_a_file_without_a_token_is_no_token(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert read_token(tmp_path) is None
    with open_store(tmp_path) as store, pytest.raises(OutputError):
        store.token()


def test_what_it_writes_is_for_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "server.part").touch(0o666)  # left by one that was killed
    with open_store(tmp_path) as store:
        assert store.write_config("text").stat().st_mode & 0o777 == 0o600


def test_a_store_is_locked_until_its_end(tmp_path: Path) -> None:
    with open_store(tmp_path), pytest.raises(OutputError, match="another hub"):
        open_store(tmp_path).__enter__()
    open_store(tmp_path).__enter__()


def test_what_it_holds_already_needs_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "held").write_bytes(bytes(1000))
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 500}))
    with open_store(tmp_path) as store:
        store.check_room(1500)
        with pytest.raises(OutputError, match="--store-mb"):
            store.check_room(1501)
