from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.helpers import fuse
from tests.helpers.fuse import FuseMount, Held
from tests.helpers.fuse_protocol import Op
from tests.helpers.support import ROOT, wait_for

pytestmark = pytest.mark.skipif(fuse.why_not() != "", reason=fuse.why_not())

CONTENT: Final = bytes(range(256)) * 2000  # of several requests


@pytest.fixture
def mount() -> Iterator[FuseMount]:
    with fuse.fuse_mount() as mount:
        yield mount


def reader(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/cat", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_files_are_written_read_listed_and_removed(mount: FuseMount) -> None:
    file = mount.path / "a.bin"
    file.write_bytes(CONTENT)
    assert (file.read_bytes(), file.stat().st_size) == (CONTENT, len(CONTENT))
    with file.open("r+b") as opened:
        opened.truncate(1000)
        opened.seek(0, os.SEEK_END)
        opened.write(b"end")
        os.fsync(opened.fileno())
    assert file.read_bytes() == CONTENT[:1000] + b"end"
    many = {f"{n:0100}" for n in range(200)}
    for name in many:
        (mount.path / name).touch()
    assert set(os.listdir(mount.path)) == {*many, "a.bin"}
    file.unlink()
    assert not file.exists()


def test_sigkill_does_not_end_a_reader_until_it_is_answered(mount: FuseMount) -> None:
    (mount.path / "a").write_bytes(CONTENT)
    (mount.path / "b").write_bytes(CONTENT)
    mount.hold("a")
    with reader(mount.path / "a") as stuck:
        assert wait_for(lambda: mount.held() == [Held(Op.READ, "a", stuck.pid)])
        assert (mount.path / "b").read_bytes() == CONTENT
        stuck.kill()
        with pytest.raises(subprocess.TimeoutExpired):
            stuck.wait(0.3)
        mount.answer()
        assert stuck.wait(10) == -signal.SIGKILL
    assert (mount.path / "a").read_bytes() == CONTENT


def test_sigkill_does_not_end_a_reader_until_the_connection_is_aborted(mount: FuseMount) -> None:
    (mount.path / "a").write_bytes(CONTENT)
    mount.hold("a")
    with reader(mount.path / "a") as killed, reader(mount.path / "a") as alive:
        assert wait_for(lambda: {h.thread for h in mount.held()} == {killed.pid, alive.pid})
        killed.kill()
        with pytest.raises(subprocess.TimeoutExpired):
            killed.wait(0.3)
        mount.abort()
        assert killed.wait(10) == -signal.SIGKILL
        assert alive.wait(10) == 1  # it was told of an error
    with pytest.raises(OSError, match="endpoint"):
        (mount.path / "a").read_bytes()


def test_writes_and_fsyncs_are_held(mount: FuseMount) -> None:
    (mount.path / "a").touch()
    mount.hold("a", operations=fuse.WRITE)
    program = (
        "import os, sys; fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)\n"
        "os.write(fd, b'line'); os.fsync(fd)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(mount.path / "a")]) as writer:
        assert wait_for(lambda: [h.operation for h in mount.held()] == [Op.WRITE])
        mount.answer()
        assert writer.wait(10) == 0
        mount.hold("a", operations=(Op.FSYNC,))
    with subprocess.Popen([sys.executable, "-c", program, str(mount.path / "a")]) as writer:
        assert wait_for(lambda: [h.operation for h in mount.held()] == [Op.FSYNC])
        mount.answer()
        assert writer.wait(10) == 0
    assert (mount.path / "a").read_bytes() == b"lineline"


def test_the_mount_is_gone_though_the_test_is_killed() -> None:
    program = (
        "import time; from tests.helpers.fuse import fuse_mount\n"
        "with fuse_mount() as mount:\n"
        "    (mount.path / 'a').write_text('a'); mount.hold('a')\n"
        "    print(mount.path, flush=True); time.sleep(60)\n"
    )
    words = (sys.executable, "-c", program)
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as test:
        assert test.stdout is not None
        path = Path(test.stdout.readline().strip())
        with reader(path / "a") as stuck:
            assert path.is_mount()
            test.kill()
            assert stuck.wait(10) == 1
    assert wait_for(lambda: not path.is_mount())
    path.rmdir()
