"""A worker's entry: `python -m workers.main NAME RUN_DIR`, its WorkerInit on standard input.

The farm's are forked, see workers.forkserver; by hand it runs as it is. The process is pinned
before anything starts threads: those begun earlier, such as a BLAS library's, would stay where they
were. It lives no longer than its standard input is held open by its coordinator.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import sys
import threading
import traceback
from typing import Final

from workers.errors import FarmError, WireError
from workers.protocol import messages as wire
from workers.protocol.spec import MAX_PIXELS_VARIABLE

LENGTH_BYTES: Final = 4
RUN_DIR_PREFIX: Final = "npu-farm-"
EXIT_CRASHED: Final = 1
EXIT_NO_BIRTH: Final = 64
EXIT_ORPHANED: Final = 75
STDIN: Final = 0


def main() -> int:
    """Become the worker described on standard input; gives the process's exit code."""
    run_dir = sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        birth = read_init(STDIN)
    except FarmError as error:
        print(f"workers.main: {error}; the farm's coordinator starts this", file=sys.stderr)
        clean_up(run_dir)
        return EXIT_NO_BIRTH
    os.sched_setaffinity(0, birth.spec.cpus)
    # Even from inside a call that never returns: the coordinator learns where that is.
    faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    limit_library_threads()
    # For one that is started by hand: the fork server has it from its own start.
    os.environ[MAX_PIXELS_VARIABLE] = str(birth.spec.max_pixels)
    threading.Thread(target=_follow, args=(run_dir,), daemon=True).start()
    try:
        from workers.loop import run

        return run(birth)
    except Exception:
        # Ends here: an interpreter that shuts down while a decoder thread is inside OpenCV may
        # abort, and the reason would not be the last thing said.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(EXIT_CRASHED)


def limit_library_threads() -> None:
    """Let libraries that are imported from now on start no threads of their own.

    One process per runtime is the parallelism; their thread pools would fight it.
    """
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")


def framed(birth: wire.WorkerInit) -> bytes:
    """Give the bytes that `read_init` reads."""
    data = wire.encode(birth)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def read_init(fd: int) -> wire.WorkerInit:
    """Read one WorkerInit from `fd`, and no byte more; raises WireError if there is none."""
    message = wire.decode(_read(fd, int.from_bytes(_read(fd, LENGTH_BYTES), "big")))
    if not isinstance(message, wire.WorkerInit):
        raise WireError(f"expected a WorkerInit, got a {type(message).__name__}")
    return message


def _read(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            raise WireError("no worker's description on standard input")
        data += part
    return data


def _follow(run_dir: str) -> None:
    """Wait until the coordinator is gone, however it went; then clean up and leave at once."""
    while os.read(STDIN, 1):
        pass
    clean_up(run_dir)
    os._exit(EXIT_ORPHANED)


def clean_up(run_dir: str) -> None:
    """Remove a run's folder; anything that is not named like one is left alone."""
    if os.path.basename(run_dir).startswith(RUN_DIR_PREFIX):
        shutil.rmtree(run_dir, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
