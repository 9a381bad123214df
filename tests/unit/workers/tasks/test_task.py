"""A model as a task sees it."""

from __future__ import annotations

import numpy as np

from workers.tasks.task import Model


def test_the_shapes_are_those_of_all_outputs() -> None:
    model = Model("net", (np.zeros((1, 3, 5)), np.zeros(2)), 8, 8)
    assert model.shapes == ((1, 3, 5), (2,))
