"""Descriptors over a socket, and what is missing where there is no room for them."""

from __future__ import annotations

import os
import resource
import socket

import pytest

from workers.protocol.descriptors import receive, send


def test_descriptors_arrive_close_on_exec() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        send(ours, b"a pipe", os.pipe())
        data, (reads, writes) = receive(theirs, 100, 2)
        assert data == b"a pipe"
        assert not os.get_inheritable(reads)
        os.write(writes, b"x")
        assert os.read(reads, 1) == b"x"
        os.close(reads)
        os.close(writes)
        send(ours, b"none")
        assert receive(theirs, 100, 2) == (b"none", [])
        ours.close()
        assert receive(theirs, 100, 2) == (b"", [])


def test_a_process_that_may_open_no_more_files_gets_the_message_without_them() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ours, theirs:
        send(ours, b"no room", [0, 1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            got = receive(theirs, 100, 2)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert got == (b"no room", [])


def test_nobody_at_the_other_end_is_an_error_and_no_signal() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.close()
    with ours, pytest.raises(BrokenPipeError):
        send(ours, b"x")
