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

    @property
    def events(self) -> list[tuple[str, int | None]]:
        """The event of each record, and the worker or the NPU core that it is about."""
        return [
            (vars(r)["event"], vars(r).get("worker", vars(r).get("npu_core"))) for r in self.records
        ]
