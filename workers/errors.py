"""The one base of every error this project raises on purpose, and the worker's own children."""

from __future__ import annotations


class FarmError(Exception):
    """Something a user can act on; its text says what happened, to what, and what to do."""


class WireError(FarmError):
    """A message that is not one of ours, or not of this version."""


class RuntimeFailure(FarmError):
    """An inference runtime could not be opened, or failed to run."""


class ImageError(FarmError):
    """One item can't be turned into pixels; `kind` is a stable word for programs."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
