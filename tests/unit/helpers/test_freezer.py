from __future__ import annotations

import signal
import subprocess
import sys
from typing import Final

import pytest

from tests.helpers import freezer
from tests.helpers.support import ROOT, is_alive, wait_for

pytestmark = pytest.mark.skipif(freezer.why_not() != "", reason=freezer.why_not())

SLEEP: Final = ("/bin/sleep", "60")


def test_sigkill_ends_a_frozen_process_only_when_it_is_thawed() -> None:
    with freezer.freezer() as cold, subprocess.Popen(SLEEP) as sleep:
        cold.add(sleep.pid)
        cold.freeze()
        sleep.kill()
        with pytest.raises(subprocess.TimeoutExpired):
            sleep.wait(0.3)
        cold.thaw()
        assert sleep.wait(10) == -signal.SIGKILL


def test_what_is_frozen_at_the_end_is_gone_afterwards() -> None:
    with subprocess.Popen(SLEEP) as sleep:
        with freezer.freezer() as cold:
            cold.add(sleep.pid)
            cold.freeze()
        assert sleep.wait(10) == -signal.SIGKILL


def test_what_is_frozen_is_gone_though_the_test_is_killed() -> None:
    program = (
        "import subprocess, time; from tests.helpers.freezer import freezer\n"
        "with freezer() as cold:\n"
        "    sleep = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)\n"
        "    cold.add(sleep.pid); cold.freeze(); print(sleep.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as test:
        assert test.stdout is not None
        frozen = int(test.stdout.readline())
        assert is_alive(frozen)
        test.kill()
    assert wait_for(lambda: not is_alive(frozen))
