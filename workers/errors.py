"""The base of every error that this project raises on purpose, and the workers' own errors."""

from __future__ import annotations

from typing import ClassVar


class FarmError(Exception):
    """Something a user can act on; its text says what happened, to what, and what to do.

    `exit_code` is what the command line ends with.
    """

    exit_code: ClassVar[int] = 1


class WireError(FarmError):
    """A message that is invalid, or not of this version."""


class RuntimeFailure(FarmError):
    """An inference runtime could not be opened, or failed to run."""


class ImageError(FarmError):
    """An item can't be turned into pixels; `kind` is stable, for programs."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
