"""A logger that keeps what a farm tells its user."""

from __future__ import annotations

import logging
from collections.abc import Iterator


class Told(logging.Logger):
    """Keeps log records; iterates over their messages."""

    def __init__(self) -> None:
        super().__init__("told", logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def __iter__(self) -> Iterator[str]:
        return (record.getMessage() for record in self.records)

    def of(self, event: str, about: int | None = None) -> list[str]:
        """The messages of an event; of those about one worker or NPU core, if it is named."""
        both = zip(self, self.events, strict=True)
        return [text for text, (each, of) in both if each == event and about in (None, of)]

    @property
    def events(self) -> list[tuple[str, int | None]]:
        """The event of each record, and the worker or the NPU core that it is about."""
        return [
            (vars(r)["event"], vars(r).get("worker", vars(r).get("npu_core"))) for r in self.records
        ]
