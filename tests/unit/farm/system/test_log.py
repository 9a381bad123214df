"""What users are told: as text, as JSON, and once where several farms have the same to say."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.system.log import (
    JSON,
    LOG,
    PLAN,
    SILENT,
    TEXT,
    JsonFormatter,
    configure,
    for_several_farms,
)
from tests.helpers.terminals import ENV, open_terminal, read_to_end
from tests.helpers.told import Told


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level = list(LOG.handlers), LOG.level
    yield
    LOG.handlers[:] = handlers
    LOG.setLevel(level)


def test_text_is_the_message_harmless_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure(TEXT)
    LOG.info("rendering \x1b[31mred\nand more")
    LOG.warning("worker 1 died", extra={"event": "worker_died", "worker": 1})
    LOG.error("no such file")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "rendering \\x1b[31mred",
        "and more",
        "worker 1 died",
        "error: no such file",
    ]


def test_on_a_terminal_warnings_are_yellow_and_errors_say_so_in_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    with open_terminal() as (here, there):
        with os.fdopen(there, "w") as screen, monkeypatch.context() as replaced:
            replaced.setattr(sys, "stderr", screen)
            configure(TEXT)
            LOG.info("two workers")
            LOG.warning("worker 1 died", extra={"event": "worker_died", "worker": 1})
            LOG.error("no such file")
            configure(JSON)
            LOG.error("no such file")
        *told, last = read_to_end(here).splitlines()
    assert told == [
        "two workers",
        "\x1b[33mworker 1 died\x1b[0m",
        "\x1b[31merror:\x1b[0m no such file",
    ]
    assert json.loads(last)["message"] == "no such file"


def test_json_is_an_object_a_line_with_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure(JSON)
    LOG.warning("worker 1 died\nof it", extra={"event": "worker_died", "worker": 1})
    LOG.info("done", extra={"event": "summary", "summary": {"ok": 3}})
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time")
    assert first == {
        "level": "warning",
        "message": "worker 1 died\nof it",
        "event": "worker_died",
        "worker": 1,
    }
    assert second["summary"] == {"ok": 3}


def test_configured_twice_each_record_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure(TEXT)
    configure(TEXT)
    LOG.info("once")
    assert capsys.readouterr().err == "once\n"


def test_standard_error_may_be_another_file_than_before_which_is_closed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(TEXT)
    with io.TextIOWrapper(io.BytesIO()) as before, monkeypatch.context() as replaced:
        replaced.setattr(sys, "stderr", before)
        LOG.info("one")
    LOG.info("two")
    assert capsys.readouterr().err == "two\n"


def test_what_every_plan_of_a_sweep_tells_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr(LOG, "callHandlers", told.handle)
    monkeypatch.setattr(logging.Logger, "callHandlers", lambda _self, record: told.handle(record))
    log = for_several_farms()
    for _ in range(2):
        log.warning("CPUs are missing", extra={"event": PLAN})
        log.warning("worker 0 died", extra={"event": "worker_died", "worker": 0})
    assert [event for event, _ in told.events] == [PLAN, "worker_died", "worker_died"]
    assert log.parent is LOG


def test_a_silent_log_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    SILENT.error("nobody hears this")
    assert capsys.readouterr().err == ""


def test_json_takes_any_field_and_any_file_name() -> None:
    fields = {"path": Path("/a"), "level": "mine", "event": "failed"}
    record = logging.makeLogRecord({"msg": "no\udcff.png", "levelname": "ERROR", **fields})
    try:
        raise LookupError("lost")
    except LookupError:
        record.exc_info = sys.exc_info()
    # Formatted here, not logged: what pytest captures has to be UTF-8.
    told = json.loads(JsonFormatter().format(record))
    assert (told["message"], told["path"], told["level"]) == ("no\\udcff.png", "/a", "error")
    assert "LookupError: lost" in told["exception"]


def test_on_a_terminal_lines_end_between_words_and_commands_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    message = "no config named: using the bundled one; go on with:\n  npu-farm run host photos/ -q"
    with open_terminal(columns=20) as (here, there):
        with os.fdopen(there, "w") as screen, monkeypatch.context() as replaced:
            replaced.setattr(sys, "stderr", screen)
            configure(TEXT)
            LOG.info(message)
        *told, command = read_to_end(here).splitlines()
    assert " ".join(line.strip() for line in told) == message.partition("\n")[0]
    assert [line for line in told if len(line) > 20] == []
    assert command == "  npu-farm run host photos/ -q"
