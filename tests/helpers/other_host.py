"""A second host on this machine: a network namespace, and a cable to it that can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

IP: Final = shutil.which("ip") or "/usr/sbin/ip"
TESTING: Final = "198.18"  # nobody's network: it is for tests (RFC 2544)


@dataclass(frozen=True, slots=True)
class OtherHost:
    """A host's `name`, and our address on the `cable` to it."""

    name: str
    cable: str
    ours: str

    @property
    def there(self) -> tuple[str, ...]:
        """What a command begins with that is to run there."""
        return (IP, "netns", "exec", self.name)

    def unplug(self) -> None:
        """Pull the cable: nothing passes, nobody is told."""
        ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Plug it in again."""
        ip("link", "set", self.cable, "up")


def why_not() -> str:
    """Why there can be no second host here; empty if there can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not os.access(IP, os.X_OK):
        return "no ip command (iproute2) here"
    name = f"npu-farm-try-{os.getpid()}"
    tried = subprocess.run([IP, "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    ip("netns", "delete", name)
    return ""


@contextmanager
def other_host() -> Iterator[OtherHost]:
    """Make a second host; its address is the one after ours."""
    number = os.getpid() % 16384  # tests that run side by side have networks of their own
    net, first = f"{TESTING}.{number // 64}", number % 64 * 4
    name, cable = f"npu-farm-{number}", f"npuf{number}"
    host = OtherHost(name, cable, f"{net}.{first + 1}")
    ip("netns", "add", name)
    try:
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("addr", "add", f"{host.ours}/30", "dev", cable)
        host.plug()
        ip("-n", name, "addr", "add", f"{net}.{first + 2}/30", "dev", "eth0")
        ip("-n", name, "link", "set", "eth0", "up")
        yield host
    finally:
        ip("netns", "delete", name)  # its end of the cable goes with it, so does ours


def ip(*words: str) -> None:
    """Run the ip command."""
    subprocess.run([IP, *words], check=True)
