"""Time as workers have it: not while the coordinator is stopped, and for each batch by itself."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from tests.helpers.programs import Programs, missing, read_until
from tests.helpers.stage import BATCH_SECONDS, Stage
from tests.helpers.support import children_of

# Its images take so long that it mostly waits, and no batch takes as long as may be.
PROGRAM = """
import sys
from farm.api import Farm
from tests.helpers.support import simulated
config = simulated(batch=1, batch_seconds=3.0, simulated={"service_ms": 100.0})
with Farm(config) as farm:
    results = farm.classify(sys.argv[1:])
    for _ in range(9):
        next(results)
    print("working", flush=True)
    print("results:", 9 + len(list(results)), "losses:", farm.losses)
"""


def test_a_farm_that_was_paused_for_long_loses_no_worker(
    programs: Programs, renders: list[Path]
) -> None:
    process = programs.start(sys.executable, "-c", PROGRAM, *map(str, renders))
    read_until(process.stdout, "working")
    everybody = [process.pid, *children_of(process.pid)]  # as `docker pause`
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(BATCH_SECONDS + 1)
    for pid in everybody:
        os.kill(pid, signal.SIGCONT)
    out, errors = process.communicate()
    assert out == f"results: {len(renders)} losses: 0\n", errors


def test_a_worker_with_a_decoder_that_hangs_is_killed_though_its_others_go_on(
    stage: Stage, renders: list[Path]
) -> None:
    stage.model.write_text('{"ms": 100}', encoding="ascii")  # there is always a batch behind
    stage.arm(0, "decode", "hang", after=3)
    with stage.farm(2, batch=1, window=4, decoders=2) as farm:
        run = farm.classify(itertools.cycle(renders))
        begun, ids = time.monotonic(), Counter[int]()
        while not stage.told.of("worker_died") and time.monotonic() < begun + 9 * BATCH_SECONDS:
            ids[next(run).id] += 1
        (died,) = stage.told.of("worker_died", 0)
        run.drain()
        ids.update(result.id for result in run)
        assert farm.losses == 1
    assert missing((f"no answer for {BATCH_SECONDS} s, in ",), died) == []
    assert max(ids.values()) == 1
    assert sum(ids.values()) > 9
