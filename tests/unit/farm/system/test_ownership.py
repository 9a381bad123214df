"""What a forked child lets go of. Each fork is made by a program of its own."""

from __future__ import annotations

import sys
from textwrap import dedent

from tests.helpers.programs import run

BEGIN = """
import os, threading, time
from farm.errors import FarmError
from farm.system.ownership import Owned, hollow, opening

def link(fd):
    return os.readlink(f"/proc/self/fd/{fd}")

class Pipe(Owned):
    def __init__(self):
        with opening:
            self.fds = os.pipe()
            self.own()

    def disown(self):
        super().disown()
        hollow(*self.fds)

    def close(self):
        self.release()
        for fd in self.fds:
            os.close(fd)
"""


def program(script: str) -> str:
    done = run(sys.executable, "-W", "error::ResourceWarning", "-c", BEGIN + dedent(script))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_forked_child_keeps_no_descriptor_and_no_number_is_free() -> None:
    script = """
        pipe = Pipe()
        if os.fork():
            os.wait()
            pipe.check_owned()
            print(pipe.disowned, link(pipe.fds[0]).startswith("pipe:"))
        else:
            print(pipe.disowned, {link(fd) for fd in pipe.fds}, os.get_inheritable(pipe.fds[0]))
            try:
                pipe.check_owned()
            except FarmError:
                print("refused", flush=True)
    """
    assert program(script) == "True {'/dev/null'} False\nrefused\nFalse True\n"


def test_what_is_closed_is_no_longer_the_registrys() -> None:
    script = """
        pipe = Pipe()
        pipe.close()
        file = os.open(__import__("sys").executable, os.O_RDONLY)
        assert file == pipe.fds[0]
        if os.fork():
            os.wait()
        else:
            print(pipe.disowned, link(file) == "/dev/null")
    """
    assert program(script) == "False False\n"


def test_where_no_descriptor_is_left_they_are_closed() -> None:
    script = """
        import resource
        pipe = Pipe()
        resource.setrlimit(resource.RLIMIT_NOFILE, (pipe.fds[0], pipe.fds[0]))
        if os.fork():
            os.wait()
        else:
            print([os.path.exists(f"/dev/fd/{fd}") for fd in pipe.fds])
    """
    assert program(script) == "[False, False]\n"


def test_a_fork_waits_until_a_descriptor_has_an_owner() -> None:
    script = """
        def open_slowly():
            with opening:
                begun.set()
                time.sleep(0.2)
                pipes.append(Pipe())
        pipes, begun = [], threading.Event()
        thread = threading.Thread(target=open_slowly)
        thread.start()
        begun.wait()
        if os.fork():
            os.wait()
            thread.join()
            print(len(pipes), pipes[0].disowned)
        else:
            print(len(pipes), pipes[0].disowned, flush=True)
            Pipe()
            if not os.fork():
                print(pipes[0].disowned, flush=True)
            else:
                os.wait()
            os._exit(0)
    """
    assert program(script) == "1 True\nTrue\n1 False\n"
