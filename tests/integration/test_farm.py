"""The Python API with real worker processes and real images."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.api import Farm
from farm.api.run import ORDERED_ROUNDS
from farm.errors import ConfigError, FarmError, SourceError, StartError
from tests.helpers.odd_images import encoded, picture
from tests.helpers.pixels import pixels
from tests.helpers.support import (
    KNOWS_SLICES,
    ROOT,
    children_of,
    glyphs,
    simulated,
    slice_ns,
    wait_for,
)
from tests.helpers.told import Told
from workers.images.decode_pool import DECODER_NICE
from workers.protocol.messages import Encoded
from workers.sched_slice import SHORTEST_NS


def test_every_image_gives_one_result_and_every_worker_works(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        results = list(farm.classify(renders * 3))
    assert Counter(result.path for result in results) == dict.fromkeys(map(str, renders), 3)
    assert sorted(result.id for result in results) == list(range(216))
    assert {result.worker for result in results} == {0, 1, 2}
    assert all(result.simulated and result.error is None for result in results)
    assert all(prediction.label is None for r in results for prediction in r.top5 or ())


def test_our_own_model_reads_our_own_renders(renders: list[Path]) -> None:
    with Farm(glyphs()) as farm:
        results = list(farm.classify(renders))
    right = sum(r.top5 is not None and f"_{r.top5[0].label}.jpg" in str(r.path) for r in results)
    assert right >= 0.9 * len(renders)
    assert all(sum(p.score for p in r.top5 or ()) <= 1.0001 for r in results)


def test_ordered_results_come_in_the_order_of_the_items(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        paths = [result.path for result in farm.classify(renders * 2, ordered=True)]
        again = [result.id for result in farm.classify(renders, ordered=True)]
    assert paths == [str(path) for path in renders * 2]
    assert again == list(range(72))


def test_bytes_and_arrays_give_what_their_files_give(renders: list[Path]) -> None:
    path = renders[0]
    array = np.asarray(cv2.imread(str(path)), np.uint8)
    with Farm(simulated()) as farm:
        by = list(farm.classify([path, str(path), path.read_bytes(), array], ordered=True))
    assert len({result.top5 for result in by}) == 1
    assert [result.path for result in by] == [str(path), str(path), None, None]


@pytest.mark.parametrize(("mode", "height"), [("exact", 600), ("fast", 300)])
def test_a_large_jpeg_is_decoded_as_the_config_says(mode: str, height: int) -> None:
    data = encoded(".jpg", picture(800, 600))
    arrays = [pixels(Encoded(data)), pixels(Encoded(data), (224, 224))]
    with Farm(simulated(decode=mode)) as farm:
        jpeg, *others = (result.top5 for result in farm.classify([data, *arrays], ordered=True))
    same = [top5 == jpeg for top5 in others]
    assert same == [array.shape == (height, height * 4 // 3, 3) for array in arrays]


def test_items_are_read_only_as_results_are_taken(renders: list[Path]) -> None:
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        while True:
            taken += 1
            yield renders[taken % len(renders)]

    config = simulated(batch=2, window=2)
    with Farm(config) as farm:
        results = farm.classify(endless())
        for _ in range(10):
            next(results)
        results.close()
        in_hands, ahead = 3 * 2 * 2, 3 * 2 * 2
        assert taken <= 10 + 2 * (in_hands + ahead)


def test_a_run_that_is_left_early_does_not_leak_into_the_next(renders: list[Path]) -> None:
    with Farm(simulated()) as farm:
        for _ in farm.classify(renders):
            break
        second = list(farm.classify(renders[:5]))
    assert sorted(str(result.path) for result in second) == sorted(map(str, renders[:5]))


def test_an_ordered_run_waits_for_a_late_item_without_reading_on_for_ever(
    renders: list[Path],
) -> None:
    read = 0

    def items() -> Iterator[Path]:
        nonlocal read
        for path in renders * 8:
            read += 1
            yield path

    # The first item may well be in the hands of the stopped worker, until that is replaced.
    config = simulated(allow_uneven=True, size=2, batch=1, window=1, batch_seconds=3.0)
    with Farm(config) as farm:
        os.kill(min(children_of(os.getpid())), signal.SIGSTOP)
        results = farm.classify(items(), ordered=True)
        assert next(results).id == 0
        assert read <= ORDERED_ROUNDS * 2
        assert [result.id for result in results] == list(range(1, len(renders) * 8))


def test_an_item_that_is_no_image_reference_is_the_callers_error() -> None:
    with Farm(simulated()) as farm, pytest.raises(SourceError, match="int"):
        list(farm.classify([17]))  # type: ignore[list-item]


def test_an_error_in_the_callers_iterator_is_the_callers() -> None:
    def broken() -> Iterator[str]:
        yield "no-such-file.jpg"
        raise LookupError("theirs")

    with Farm(simulated()) as farm, pytest.raises(LookupError, match="theirs"):
        list(farm.classify(broken()))


def test_nothing_is_left_behind(renders: list[Path], run_dirs: Path) -> None:
    with Farm(simulated()) as farm:
        (run_dir,) = run_dirs.iterdir()
        assert run_dir.stat().st_mode & 0o777 == 0o700
        assert len(children_of(os.getpid())) == 3
        list(farm.classify(renders))
    assert list(run_dirs.iterdir()) == []
    assert children_of(os.getpid()) == []


def test_nothing_is_left_behind_after_an_error_in_the_block(run_dirs: Path) -> None:
    with pytest.raises(LookupError), Farm(simulated()):
        raise LookupError
    assert list(run_dirs.iterdir()) == []
    assert children_of(os.getpid()) == []


def test_workers_run_on_the_cpus_of_the_plan() -> None:
    cpu = max(os.sched_getaffinity(0))
    with Farm(simulated(cpu=(cpu,))) as farm:
        for pid in children_of(os.getpid()):
            for task in Path(f"/proc/{pid}/task").iterdir():
                status = (task / "status").read_text()
                assert f"Cpus_allowed_list:\t{cpu}\n" in status
        assert farm.plan.workers[0].cpus == (cpu,)


@pytest.mark.skipif(not KNOWS_SLICES, reason="threads choose their slice since Linux 6.12")
def test_the_runtime_thread_goes_before_its_decoders() -> None:
    with Farm(simulated(size=1, decoders=2)):
        (pid,) = children_of(os.getpid())
        others = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
        others.remove(pid)
        assert wait_for(lambda: slice_ns(pid) == SHORTEST_NS)
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        lower = min(19, nice + DECODER_NICE)

        def decoders() -> list[int]:
            return [each for each in others if os.getpriority(os.PRIO_PROCESS, each) == lower]

        assert wait_for(lambda: len(decoders()) == 2)
        assert all(slice_ns(thread) > SHORTEST_NS for thread in decoders())


def test_a_model_that_is_none_stops_the_start_with_its_reason(
    tmp_path: Path, run_dirs: Path
) -> None:
    model = tmp_path / "no-model.onnx"
    model.write_text("not a model")
    told = Told()
    with pytest.raises(StartError, match=r"no-model\.onnx: ONNX Runtime can't open it"):
        Farm(glyphs(model=model), log=told).__enter__()
    assert sorted(told.events) == [("worker_start_failed", 0), ("worker_start_failed", 1)]
    assert list(run_dirs.iterdir()) == []
    assert children_of(os.getpid()) == []


def test_a_missing_model_is_named_before_anything_starts(tmp_path: Path, run_dirs: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.onnx: no such file"):
        Farm(glyphs(model=tmp_path / "gone.onnx")).__enter__()
    assert list(run_dirs.iterdir()) == []


def test_labels_of_another_model_are_refused(tmp_path: Path, run_dirs: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("one\ntwo\n")
    with pytest.raises(ConfigError, match="2 labels, but the model has 36 classes"):
        Farm(glyphs(labels=labels)).__enter__()
    assert list(run_dirs.iterdir()) == []


def test_a_farm_outside_its_block_says_so() -> None:
    with pytest.raises(FarmError, match="with"):
        list(Farm(simulated()).classify([]))


def test_a_farm_of_a_config_file_works_like_the_command_line(renders: list[Path]) -> None:
    farm = Farm.from_config(ROOT / "configs" / "rk3588.yaml", {"runtime": "simulated", "size": 1})
    with farm:
        assert len(list(farm.classify(renders[:3]))) == 3
        assert farm.plan.platform.name == "rk3588"
    assert wait_for(lambda: not children_of(os.getpid()))


def test_a_worker_that_crashes_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cv2.py").write_text("raise ValueError('boom of ours')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(StartError, match=r"exit code 1 in its start: ValueError: boom of ours$"):
        Farm(simulated()).__enter__()


def test_a_farm_is_up_once_and_says_when_it_is_not(renders: list[Path]) -> None:
    farm = Farm(simulated(size=1))
    with farm:
        with pytest.raises(FarmError, match="up already"):
            farm.__enter__()
        results = farm.classify(renders)
        next(results)
    with pytest.raises(FarmError, match="no longer up"):
        list(results)
    with pytest.raises(FarmError, match="not started"):
        farm.npu_busy_seconds()
    with farm:  # again, from the start
        assert len(list(farm.classify(renders[:2]))) == 2


def test_the_simulated_npu_tells_its_load_and_busy_time_while_it_runs(renders: list[Path]) -> None:
    service_ms, seen = 4.0, []
    with Farm(simulated(simulated={"service_ms": service_ms})) as farm:
        assert farm.npu_load() == (0.0, 0.0, 0.0)  # the self-tests were before the farm was up
        for result in farm.classify(renders * 3):
            seen.append(farm.npu_load())
            assert result.error is None
        assert len(seen) == 3 * len(renders)
        runs = len(seen) + len(farm.plan.workers)
        busy = farm.npu_busy_seconds()
        with_nothing_to_do = (farm.npu_load(), farm.npu_load())[1]
    assert busy is not None
    assert sum(busy) == pytest.approx(runs * service_ms / 1000, abs=1e-9)
    assert all(0.0 <= share <= 1.0 for shares in seen for share in shares)
    assert all(any(shares) for shares in zip(*seen, strict=True))  # each core worked
    assert with_nothing_to_do == (0.0, 0.0, 0.0)


def test_big_arrays_are_read_a_few_at_a_time() -> None:
    taken = 0

    def frames() -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield np.zeros((2000, 2000, 3), np.uint8)  # 12 MB

    with Farm(simulated()) as farm:
        results = farm.classify(frames())
        next(results)
        # Two batches of one frame for each of three workers; 32 MB ahead, and a batch beyond. By
        # their number alone, 72 would have been read before the first was sent.
        assert taken <= 6 + 3 + 8 + 1
        results.close()
