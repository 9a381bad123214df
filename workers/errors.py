"""The base of every error that this project raises on purpose, and the workers' own errors."""

from __future__ import annotations


class FarmError(Exception):
    """Something a user can act on; its message says what happened, to what, and what to do."""


class WireError(FarmError):
    """A message that is invalid, or not of this version."""


class RuntimeFailure(FarmError):
    """An inference runtime could not be opened, or failed to run."""


class ImageError(FarmError):
    """An item can't be turned into pixels; `kind` is stable, for programs."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
