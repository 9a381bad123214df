"""Small reads of system files, which may be missing, unreadable or have any content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

READ, WRITE = 4, 2
NO_FILE = "no such file"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """What the kernel checks access rights by: a process's user and all its groups."""

    uid: int
    groups: frozenset[int]

    @staticmethod
    def current() -> User:
        """Return the user of this process."""
        return User(uid=os.geteuid(), groups=frozenset({os.getegid(), *os.getgroups()}))

    def may(self, status: os.stat_result, bits: int) -> bool:
        """Return whether a file's mode grants all of `bits` (READ, WRITE); ACLs are ignored."""
        if self.uid == 0:
            return True
        if self.uid == status.st_uid:
            granted = status.st_mode >> 6
        elif status.st_gid in self.groups:
            granted = status.st_mode >> 3
        else:
            granted = status.st_mode
        return granted & bits == bits


def text(file: Path) -> str | None:
    """Return a small file's text without its end; None if it cannot be read."""
    try:
        return file.read_bytes().decode("utf-8", "replace").strip("\0\n ")
    except OSError:
        return None


def has_acl(path: Path) -> bool:
    """Return whether an ACL adds to a file's mode: desktops grant rights to devices this way."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:
        return False


def refusal(path: Path) -> str | None:
    """Return why a file cannot be read, as the kernel words it; None if it can be read."""
    try:
        if not path.is_file():
            return NO_FILE if not path.exists() else "not a file"
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror or str(error)
