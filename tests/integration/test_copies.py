"""Copies of a farm or of a run, which are refused: each has things that are closed once."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from farm.api import Farm
from farm.errors import FarmError
from tests.helpers.support import simulated


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_copy_is_refused_and_costs_nothing(
    renders: list[Path], copied: Callable[[object], object]
) -> None:
    with Farm(simulated()) as farm:
        run = farm.classify(renders)
        results = [next(run)]
        for each in (farm, run):
            with pytest.raises(FarmError, match="can't be copied"):
                copied(each)
        gc.collect()
        results += run
    assert len(results) == len(renders)
