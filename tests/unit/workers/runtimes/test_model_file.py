"""Which content of a model's file has been opened, whatever happens to the file meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from workers.errors import RuntimeFailure
from workers.runtimes import model_file
from workers.runtimes.model_file import BLOCK_BYTES, digest_of, opening, read

BEFORE, AFTER = b"one model", b"two model"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A link to a model, as deployments have it."""
    (tmp_path / "v1").write_bytes(BEFORE)
    (tmp_path / "v2").write_bytes(AFTER)
    (tmp_path / "model").symlink_to("v1")
    return tmp_path / "model"


def open_while(model: Path, change: Callable[[], object]) -> str:
    with opening(str(model)) as digest:
        change()
    return digest


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_a_digest_is_the_sha_256_of_the_content(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "model").write_bytes(content)
    assert digest_of(str(tmp_path / "model")) == sha256(content).hexdigest()


def test_a_file_that_stays_as_it_is_is_known_by_its_digest(model: Path) -> None:
    assert open_while(model, lambda: None) == sha256(BEFORE).hexdigest()


def test_another_file_of_the_same_content_is_the_same_model(model: Path, tmp_path: Path) -> None:
    def replace() -> None:
        (tmp_path / "new").write_bytes(BEFORE)
        (tmp_path / "new").rename(model)

    assert open_while(model, replace) == sha256(BEFORE).hexdigest()


def copied_over(model: Path) -> None:
    """As `cp` does: the inode stays; so do size and time, if somebody wants that."""
    times = model.stat()
    model.write_bytes(AFTER)
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))


def renamed_over(model: Path) -> None:
    (model.parent / "v2").rename(model)


def linked_elsewhere(model: Path) -> None:
    (model.parent / "link").symlink_to("v2")
    (model.parent / "link").rename(model)


def cut(model: Path) -> None:
    os.truncate(model, 3)


@pytest.mark.parametrize("change", [copied_over, renamed_over, linked_elsewhere, cut])
def test_a_file_that_changes_while_it_is_opened_is_refused(
    model: Path, change: Callable[[Path], None]
) -> None:
    with pytest.raises(RuntimeFailure, match=r"model was changed while it was opened"):
        open_while(model, lambda: change(model))


def test_what_the_runtime_says_comes_first(model: Path) -> None:
    def fail() -> None:
        cut(model)
        raise RuntimeFailure("it is cut short")

    with pytest.raises(RuntimeFailure, match="cut short"):
        open_while(model, fail)


def test_a_file_that_goes_is_refused(model: Path) -> None:
    with pytest.raises(RuntimeFailure, match=r"model: .*: No such file"):
        open_while(model, model.unlink)


@pytest.mark.parametrize("function", [digest_of, read])
def test_a_folder_is_no_model(tmp_path: Path, function: Callable[[str], object]) -> None:
    with pytest.raises(RuntimeFailure, match="Is a directory"):
        function(str(tmp_path))


def test_the_step_is_announced(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Files on a network that is gone are read for ever: the coordinator can say which."""
    open_while(model, lambda: None)
    assert f"opening {model}" in capfd.readouterr().err


def test_read_gives_all(model: Path) -> None:
    assert model_file.read(str(model)) == BEFORE
