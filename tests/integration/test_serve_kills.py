"""A service under load while its workers die: each request has its answer, and none hangs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path

from farm.watch.running import running
from farm.watch.viewer import look
from tests.helpers.load import Load, Photos, classes
from tests.helpers.programs import HOST, SIMULATED, npu_farm
from tests.helpers.raw_http import Connection, request
from tests.helpers.site import Site, site
from tests.helpers.support import PATIENCE, ROOT, children_of, names_of_children, wait_for

CONNECTIONS = 24
# Three for each worker: six in a minute would give its slot up.
STRIKES = [
    (number, f"worker-{worker}")
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL)
    for worker in range(3)
]
SLOW = (*SIMULATED, "--set", "simulated.service_ms=20")


def answered(renders: list[Path], words: tuple[str, ...], folder: Path) -> Photos:
    """Return the renders, with the answers of a run of the same farm."""
    lines = folder / "run.jsonl"
    done = npu_farm("run", *words, "-q", "-o", str(lines), *map(str, renders))
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    files = {str(path): path.read_bytes() for path in renders}
    return Photos(files=files, expected={each["path"]: classes(each) for each in told})


def test_killed_and_stopped_workers_cost_no_request_its_answer(
    renders: list[Path], tmp_path: Path
) -> None:
    words = (*SIMULATED, "--set", "simulated.service_ms=5", "--set", "batch_seconds=1")
    photos, struck = answered(renders, words, tmp_path), list[int]()
    with site(*words) as service:
        with Load(service.address, photos, connections=CONNECTIONS, patience=PATIENCE) as load:
            for number, worker in STRIKES:
                enough = load.tally.right + 20
                assert wait_for(lambda: load.tally.right >= enough)  # noqa: B023 - called here
                struck.append(living(service, worker, struck))
                os.kill(struck[-1], number)
        tally = load.tally
        assert service.tracebacks() == []
    assert tally.wrong == []
    assert tally.right >= 20 * len(STRIKES)
    # A photo that was in three workers' hands when they died has an error that says so.
    assert set(tally.seen) <= {200, 500}
    assert set(tally.kinds) <= {"worker_died"}


def test_the_last_worker_lost_ends_the_service_and_says_so_to_who_waits(
    renders: list[Path], tmp_path: Path
) -> None:
    """A worker does not come back whose model has changed: with its process, its slot is lost."""
    for name in ("glyphs.onnx", "glyphs.labels.txt"):
        shutil.copy(ROOT / "models" / name, tmp_path)
    model, labels = tmp_path / "glyphs.onnx", tmp_path / "glyphs.labels.txt"
    words = (HOST, "-m", str(model), "--labels", str(labels), "-s", "1")
    photos = answered(renders, words, tmp_path)
    with site(*words) as service:
        load = Load(service.address, photos, connections=CONNECTIONS, patience=PATIENCE)
        with load:
            assert wait_for(lambda: load.tally.right >= 50)
            model.write_bytes(model.read_bytes() + b"\0")
            (worker,) = children_of(service.process.pid)
            os.kill(worker, signal.SIGKILL)
            assert service.ended() == 3
        tally = load.tally
        assert service.tracebacks() == []
    assert tally.wrong == []
    assert tally.seen["hangs"] == 0
    assert set(tally.seen) <= {200, 503, "cut", "refused"}
    assert tally.kinds["no_workers"] >= 1


def test_sigterm_under_load_answers_what_was_accepted_and_takes_no_more(
    renders: list[Path], tmp_path: Path
) -> None:
    photos = answered(renders, SLOW, tmp_path)
    names = sorted(photos.files)[:60]
    with site(*SLOW, "--set", "drain_seconds=20") as service, ExitStack() as stack:
        accepted = [stack.enter_context(Connection(service.address)) for _ in names]
        for connection, name in zip(accepted, names, strict=True):
            connection.send(request("POST", "/classify", body=photos.files[name]))
        first = accepted[0].answer()
        assert first is not None
        assert classes(first.json) == photos.expected[names[0]]
        begun = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        assert wait_for(lambda: refused(service, photos.files[names[0]]))
        for connection, name in zip(accepted[1:], names[1:], strict=True):
            answer = connection.answer()
            assert answer is not None
            assert answer.status == 200
            assert classes(answer.json) == photos.expected[name]
        assert service.ended() == 128 + signal.SIGTERM
        assert time.monotonic() - begun < 20
        assert service.tracebacks() == []


def test_images_that_wait_are_not_computed_for_clients_that_have_gone(
    renders: list[Path], run_dirs: Path
) -> None:
    """What the one worker holds is computed: two batches of eight."""
    slow = (*SIMULATED, "-s", "1", "--set", "simulated.npu_cores=1")
    with site(*slow, "--set", "simulated.service_ms=100", "--set", "batch=8") as service:
        (address,) = [each for each in running() if str(run_dirs) in each]
        gone = [Connection(service.address) for _ in range(CONNECTIONS * 4)]
        for connection in gone:
            connection.send(request("POST", "/classify", body=renders[0].read_bytes()))
        assert wait_for(lambda: sum(outstanding(address)) > CONNECTIONS * 3)
        for connection in gone:
            connection.reset()
        assert wait_for(lambda: outstanding(address) == (0, 0))
        facts = look(address, PATIENCE).farm
        assert facts is not None
        assert facts.ok < CONNECTIONS * 2
        assert facts.failures == {}
        assert service.tracebacks() == []


def outstanding(address: str) -> tuple[int, int]:
    """How many images wait in a farm, and how many its workers hold."""
    facts = look(address, PATIENCE).farm
    assert facts is not None
    return facts.waiting, facts.in_flight


def living(service: Site, worker: str, struck: list[int]) -> int:
    """The process of a worker that has not been struck, once there is one."""

    def found() -> list[int]:
        names = names_of_children(service.process.pid)
        return [pid for pid, name in names.items() if name == worker and pid not in struck]

    assert wait_for(lambda: bool(found()))
    return found()[0]


def refused(service: Site, photo: bytes) -> bool:
    """Whether a new request is not taken in: it is told so, or nobody listens."""
    try:
        answer = service.ask(request("POST", "/classify", body=photo))
    except ConnectionRefusedError:
        return True
    return answer is None or answer.status == 503
