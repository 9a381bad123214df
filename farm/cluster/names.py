"""What things are called in a hub: streams, subjects, consumers, buckets, keys."""

from __future__ import annotations

import re
import secrets
from typing import Final

JOBS: Final = "npu-farm-jobs"  # the stream of what waits for a board, or is with one
RESULTS: Final = "npu-farm-results"  # that of what waits for its sender
BOARDS: Final = "npu-farm-boards"  # the bucket of who is there
OBJECTS: Final = "npu-farm-objects"  # the stream of the pieces of images too large for a message
JOB_SUBJECTS: Final = "npu-farm.jobs"
RESULT_SUBJECTS: Final = "npu-farm.results"
OBJECT_SUBJECTS: Final = "npu-farm.objects"
TOKEN_BYTES: Final = 10  # of a run's id: of a million runs, two are alike with a chance of 1e-12
TOKEN: Final = re.compile(r"[0-9a-f]{20}")


def new_token() -> str:
    """Return an id that no other run, board or image has."""
    return secrets.token_hex(TOKEN_BYTES)


def job_subject(queue: str, run: str) -> str:
    """Return the subject of a run's jobs in a queue."""
    return f"{JOB_SUBJECTS}.{queue}.{run}"


def jobs_of_queue(queue: str) -> str:
    """Return the subjects of all jobs in a queue."""
    return f"{JOB_SUBJECTS}.{queue}.*"


def jobs_of_run(run: str) -> str:
    """Return the subjects of a run's jobs, in whichever queue."""
    return f"{JOB_SUBJECTS}.*.{run}"


def result_subject(run: str) -> str:
    """Return the subject of a run's results."""
    return f"{RESULT_SUBJECTS}.{run}"


def queue_consumer(queue: str) -> str:
    """Return the name of the consumer from which all boards of a queue pull."""
    return f"queue-{queue}"


def run_consumer(run: str) -> str:
    """Return the name of the consumer from which a run's sender pulls."""
    return f"run-{run}"


def new_object(run: str) -> str:
    """Return a name for one of a run's images that no other has."""
    return f"{run}.{new_token()}"


def object_subject(name: str) -> str:
    """Return the subject of the pieces of the image of this name."""
    return f"{OBJECT_SUBJECTS}.{name}"


def objects_of_run(run: str) -> str:
    """Return the subjects of the pieces of all of a run's images."""
    return f"{OBJECT_SUBJECTS}.{run}.*"
