"""Which versions are compatible: the vendor's table, and versions beyond it."""

from __future__ import annotations

import pytest

from farm.doctor.compatibility import Fit, Version, fit, version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2.3.2", (2, 3, 2)),
        ("RKNPU driver: v0.9.8", (0, 9, 8)),
        ("1.6.0+81f21f4d", (1, 6, 0)),
        ("2.0.0b0", (2, 0, 0)),
        ("2.3", None),
        ("", None),
        (None, None),
        ("99999999999999999999.1.1.1", (9999, 1, 1)),
    ],
)
def test_a_version_is_found_in_a_text(text: str | None, numbers: Version | None) -> None:
    assert version(text) == numbers


@pytest.mark.parametrize(
    ("model", "runtime", "how"),
    [
        # The vendor's table.
        ((1, 2, 0), (1, 2, 0), Fit.WELL),
        ((1, 2, 0), (1, 5, 0), Fit.WELL),
        ((1, 4, 0), (1, 3, 0), Fit.NOT),
        ((1, 4, 0), (1, 5, 2), Fit.NOT),
        ((1, 5, 0), (1, 5, 0), Fit.WELL),
        ((1, 5, 0), (1, 5, 2), Fit.NOT),
        ((1, 5, 2), (1, 5, 0), Fit.NOT),
        ((1, 5, 2), (2, 3, 2), Fit.WELL),
        ((1, 6, 0), (1, 5, 2), Fit.OLDER_RUNTIME),
        ((1, 6, 0), (2, 0, 0), Fit.WELL),
        ((2, 0, 0), (1, 6, 0), Fit.NOT),
        ((2, 1, 0), (2, 0, 0), Fit.OLDER_RUNTIME),
        # As users reported it.
        ((2, 3, 0), (1, 4, 0), Fit.NOT),
        ((2, 3, 0), (2, 0, 0), Fit.OLDER_RUNTIME),
        ((2, 3, 2), (2, 3, 2), Fit.WELL),
        ((2, 3, 2), (2, 5, 0), Fit.WELL),
    ],
)
def test_which_runtime_runs_which_model(model: Version, runtime: Version, how: Fit) -> None:
    assert fit(model, runtime) is how
