"""Small reads of system files, which may be missing, barred or anything else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

READ, WRITE = 4, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom the kernel asks for rights: a process's user and all its groups."""

    uid: int
    groups: frozenset[int]


def current_user() -> User:
    """The user of this process."""
    return User(uid=os.geteuid(), groups=frozenset({os.getegid(), *os.getgroups()}))


def text(file: Path) -> str | None:
    """A small file's text without its end; None if it can't be read."""
    try:
        return file.read_bytes().decode("utf-8", "replace").strip("\0\n ")
    except OSError:
        return None


def may(user: User, status: os.stat_result, bits: int) -> bool:
    """Whether a file's mode gives `user` all of `bits` (READ, WRITE); ACLs are not asked."""
    if user.uid == 0:
        return True
    if user.uid == status.st_uid:
        granted = status.st_mode >> 6
    elif status.st_gid in user.groups:
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & bits == bits


def has_acl(path: Path) -> bool:
    """Whether more than the mode decides who may use a file: desktops give rights by ACLs."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:
        return False


def refusal(path: Path) -> str | None:
    """Why a file can't be read, in the kernel's words; None if it can."""
    try:
        if not path.is_file():
            return "no such file" if not path.exists() else "not a file"
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror or str(error)
