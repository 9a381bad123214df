"""A worker's entry: `python -m workers.main NAME RUN_DIR`, its WorkerInit on standard input.

A farm forks its workers, see workers.forkserver; started by hand it works the same. The process is
pinned before anything starts threads: those started earlier, such as a BLAS library's, would keep
their CPUs. It exits when its coordinator no longer holds its standard input open, or writes to it.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import Final, NoReturn

from workers.environment import WORKER, forget_opencv_variables, limit_library_threads
from workers.errors import FarmError
from workers.protocol.spec import MAX_PIXELS_VARIABLE
from workers.protocol.startup import read_init

RUN_DIR_PREFIX: Final = "npu-farm-"
RUN_DIR_NAME: Final = re.compile(RUN_DIR_PREFIX + "[a-z0-9_]{8}")  # as mkdtemp completes it
RUN_DIR_FILES: Final = re.compile(r"sink|npu|snapshots|worker-\d+\.\d+")
EXIT_CRASHED: Final = 1
EXIT_NO_INIT: Final = 64
EXIT_ORPHANED: Final = 75
STDIN: Final = 0


def main() -> int:
    """Become the worker described on standard input; return the process's exit code."""
    run_dir = sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        init = read_init(STDIN)
    except FarmError as error:
        print(f"workers.main: {error}; the farm's coordinator starts this", file=sys.stderr)
        clean_up(run_dir)
        return EXIT_NO_INIT
    os.sched_setaffinity(0, init.spec.cpus)
    # Even from inside a call that never returns: the coordinator learns where that is.
    faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    limit_library_threads()
    forget_opencv_variables()
    os.environ[WORKER] = f"worker {init.spec.index}"
    # For a worker started by hand: the fork server has it from its own start.
    os.environ[MAX_PIXELS_VARIABLE] = str(init.spec.max_pixels)
    threading.Thread(target=exit_with_coordinator, args=(run_dir,), daemon=True).start()
    threading.excepthook = lambda failed: crash(failed.exc_value)
    try:
        from workers.loop import run

        return run(init)
    except Exception as error:
        crash(error)


def crash(error: BaseException | None) -> NoReturn:
    """End the worker because of `error`, in whichever thread it was raised.

    At once: an interpreter that shuts down while a decoder thread is inside OpenCV may abort, and
    the reason would not be the last line printed.
    """
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(EXIT_CRASHED)


def exit_with_coordinator(run_dir: str) -> None:
    """Wait until the coordinator says LEAVE, or is gone, however it ended; then exit at once.

    Its folder is removed if it is gone.
    """
    if not os.read(STDIN, 1):
        clean_up(run_dir)
    os._exit(EXIT_ORPHANED)


def clean_up(run_dir: str) -> None:
    """Remove a run's folder; keep any other, whatever its name, with all that is in it."""
    if not RUN_DIR_NAME.fullmatch(os.path.basename(run_dir)):
        return
    with suppress(OSError):  # another process of the farm was first, or the folder is no run's
        files = os.listdir(run_dir)
        if all(map(RUN_DIR_FILES.fullmatch, files)):
            for file in files:
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(run_dir, file))
            os.rmdir(run_dir)


if __name__ == "__main__":
    sys.exit(main())
