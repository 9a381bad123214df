"""A second host, and the cable to it."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.helpers import other_host

WHY_NOT = other_host.why_not()
DIAL = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1)"


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_it_reaches_us_only_while_the_cable_is_plugged() -> None:
    with other_host.other_host() as host, socket.create_server((host.ours, 0)) as server:
        dial = [*host.there, sys.executable, "-c", DIAL, host.ours, f"{server.getsockname()[1]}"]

        def reaches() -> bool:
            return not subprocess.run(dial, check=False, stderr=subprocess.DEVNULL).returncode

        assert reaches()
        host.unplug()
        assert not reaches()
        host.plug()
        assert reaches()
