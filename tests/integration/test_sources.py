"""Sources that fail, that make the farm wait, and items that no worker can be sent."""

from __future__ import annotations

import json
import os
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.api import Farm
from farm.api.run import SLOW_SECONDS
from farm.errors import SourceError
from farm.results.result import Result
from farm.results.resume import Remaining
from farm.results.resume_index import ResumeIndex, digest
from farm.sources.base import IterableSource
from farm.sources.lines import LineSource
from tests.helpers.programs import FAST, PROGRAM, SIMULATED, Programs, command
from tests.helpers.support import PATIENCE, simulated, wait_for

ODD = "\ud800.jpg"
ONE_BY_ONE = [(False, 1, 1), (False, 8, 2), (True, 8, 2), (True, 1, 1)]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("taken", [1, 15, 16, 17])
def test_a_source_that_fails_costs_no_item_before_it(
    renders: list[Path], ordered: bool, taken: int
) -> None:
    def failing() -> Iterator[Path]:
        yield from renders[:taken]
        raise LookupError("theirs")

    done = ResumeIndex(array("Q", sorted(digest(os.fsencode(path)) for path in renders[12:17])))
    source = Remaining(IterableSource.from_items(failing()), done, lambda: False)
    seen: list[int] = []
    with Farm(simulated()) as farm, pytest.raises(LookupError, match="theirs"):
        seen.extend(result.id for result in farm.run(source, ordered=ordered))
    assert sorted(seen) == list(range(min(taken, 12)))


def test_an_unknown_type_comes_after_the_results_before_it(renders: list[Path]) -> None:
    seen: list[int] = []
    items: list[Any] = [*renders[:21], 17, *renders]
    with Farm(simulated()) as farm, pytest.raises(SourceError, match="int"):
        seen.extend(result.id for result in farm.classify(items, ordered=True))
    assert seen == list(range(21))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_a_program_costs_no_item_if_the_program_goes_on(
    renders: list[Path], error: type[BaseException]
) -> None:
    def ending() -> Iterator[Path]:
        yield from renders[:5]
        raise error

    seen: list[int] = []
    with Farm(simulated()) as farm:
        run = farm.run(IterableSource.from_items(ending()))
        with pytest.raises(error):
            seen.extend(result.id for result in run)
        seen += [result.id for result in run]
    assert sorted(seen) == list(range(5))


def test_an_item_that_can_not_be_sent_is_an_error_in_its_place(renders: list[Path]) -> None:
    black = np.zeros((4, 6, 3), np.uint8)
    odd: dict[str, Any] = {
        "unreadable": ODD,
        "missing": "",
        "empty": b"",
        "bad_pixels": black[:0],
    }
    items = [x for each in odd.values() for x in (each, renders[0])]
    items += ["a\0.jpg", "/" + "x" * 10**6, black[::-1, ::2], np.zeros((5, 0, 3), np.uint8)]
    with Farm(simulated()) as farm:
        results = list(farm.classify(items, ordered=True))
        again = sorted(farm.classify(iter(items)), key=lambda result: result.id)
    kinds = [result.error.kind if result.error else None for result in results]
    assert kinds[1:8:2] == [None] * 4
    assert kinds[0:8:2] == list(odd)
    assert kinds[8:] == ["unreadable", "unreadable", None, "bad_pixels"]
    assert [result.id for result in results] == [result.id for result in again] == list(range(12))
    assert [result.error for result in again] == [result.error for result in results]
    assert results[0].path == ODD


@pytest.mark.parametrize(("ordered", "batch", "window"), ONE_BY_ONE)
def test_each_item_of_a_generator_is_with_a_worker_before_the_next_is_asked_for(
    renders: list[Path], ordered: bool, batch: int, window: int
) -> None:
    submitted: list[int] = []

    def items() -> Iterator[Path]:
        for path in renders[:5]:
            yield path
            submitted.append(run.submitted)

    with Farm(simulated(batch=batch, window=window)) as farm:
        run = farm.classify(items(), ordered=ordered)
        assert len(list(run)) == 5
    assert submitted == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("ordered", "batch", "window"), ONE_BY_ONE)
def test_what_has_been_answered_is_given_before_a_slow_generator_is_asked_again(
    renders: list[Path], ordered: bool, batch: int, window: int
) -> None:
    seen: list[Result] = []
    missing: list[int] = []

    def items() -> Iterator[Path]:
        for number, path in enumerate(renders[:20]):
            missing.append(max(0, number - 1 - len(seen)))
            yield path
            answers = run._farm.coordinator._sink.socket
            # An answer may have been read and given already, if this process had to wait.
            assert len(seen) == run.submitted or answers.poll(round(PATIENCE * 1000))
            time.sleep(2 * SLOW_SECONDS)  # it is slow, even if the answer was there before

    with Farm(simulated(batch=batch, window=window, simulated={"service_ms": 5.0})) as farm:
        run = farm.classify(items(), ordered=ordered)
        seen.extend(run)
    assert len(seen) == 20
    assert missing == [0] * 20


@pytest.mark.parametrize(("ordered", "batch", "window"), ONE_BY_ONE)
def test_a_pipe_that_gives_an_item_for_a_result_is_read_to_its_end(
    renders: list[Path], ordered: bool, batch: int, window: int
) -> None:
    reader, writer = os.pipe()
    with Farm(simulated(batch=batch, window=window)) as farm, open(writer, "wb", 0) as file:
        file.write(b"%s\n" % os.fsencode(renders[0]))
        results = farm.run(LineSource(reader), ordered=ordered)
        for path in renders[1:]:
            assert next(results).error is None
            file.write(b"%s\n" % os.fsencode(path))
        file.close()
        assert len(list(results)) == 1
    os.close(reader)


def test_a_list_that_is_removed_amid_a_resumed_run_costs_nothing_that_was_read(
    renders: list[Path], tmp_path: Path, programs: Programs
) -> None:
    listed, output = tmp_path / "list.txt", tmp_path / "r.jsonl"
    last = [str(path) for path in renders[-3:]]
    assert command(*FAST, *last, "-o", str(output)).returncode == 0
    names = [*map(str, renders[:-3] * 4), *last]
    listed.write_text("\n".join(names))
    words = ("-d", str(listed), "-r", "2", "-o", str(output), "--resume")
    process = programs.start(*PROGRAM, *SIMULATED, "--set", "simulated.service_ms=20", *words)
    assert wait_for(lambda: output.read_text().count("\n") > 3)
    listed.unlink()
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert f"{listed}: can't be read" in said
    assert sorted(json.loads(line)["path"] for line in output.read_text().splitlines()) == sorted(
        names
    )


def test_a_path_that_is_too_long_can_be_resumed(renders: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "r.jsonl"
    listed = "\n".join([str(renders[0]), "\u732b" * 400_000, str(renders[1]), "x" * 70_000])
    words = (*FAST, "-", "-o", str(output), "--resume")
    done = [command(*words, input=listed) for _ in range(2)]
    assert [each.returncode for each in done] == [1, 0]
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == [0, 1, 2, 3]
    failed = {row["id"]: row["error"]["kind"] for row in rows if row["error"]}
    assert failed == {1: "unreadable", 3: "unreadable"}


def test_a_line_without_an_end_is_no_list(programs: Programs) -> None:
    endless = programs.start(sys.executable, "-c", "while True: print(end='x' * 1000)")
    done = command(*FAST, "-", stdin=endless.stdout)
    assert done.returncode == 2
    assert "standard input: its first line is longer" in done.stderr


def test_an_empty_list_on_standard_input_is_an_error() -> None:
    done = command(*FAST, "-", input="\n\n")
    assert done.returncode == 2
    assert "standard input: no images in it" in done.stderr
    assert "Processed" not in done.stderr


def test_relative_paths_are_of_the_folder_that_is_current_when_they_are_read(
    tmp_path: Path, renders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three", "gone")]
    for folder in folders:
        folder.mkdir()
    for folder, image in zip(folders, renders[::36], strict=False):  # of different characters
        (folder / "x.jpg").write_bytes(image.read_bytes())
    alone = [str(folder / "x.jpg") for folder in folders[:2]]
    monkeypatch.chdir(folders[0])
    with Farm(simulated(size=1)) as farm:
        expected = [result.top5 for result in farm.classify(alone, ordered=True)]
        found = [next(farm.classify(["x.jpg"]))]
        for folder in folders[1:]:
            os.chdir(folder)
            if folder.name == "gone":
                folder.rmdir()
            found += farm.classify(["x.jpg"])
    assert [result.path for result in found] == ["x.jpg"] * 4
    assert [result.top5 for result in found] == [*expected, None, None]
    assert [each.error and each.error.kind for each in found[2:]] == ["missing", "missing"]
