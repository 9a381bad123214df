"""Which versions of the NPU's driver, of librknnrt and of a model's toolkit are compatible."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

Version = tuple[int, int, int]

# "It is recommended to upgrade the NPU kernel driver to 0.9.2 or later": Rockchip's RKNN SDK user
# guide 2.1, chapter 10.1.1.
OLDEST_DRIVER: Final = (0, 9, 2)
# From the first version, and before the second: "failed to submit" on cores 1 and 2 only, each with
# a 6.1 kernel: 0.9.2 (airockchip/rknn-toolkit2 issue 294) and 0.9.3 (rockchip-linux/rknn-toolkit2
# issue 320); fixed in 0.9.6 (airockchip/rknn-toolkit2 issue 138). 0.8.x of the 5.10 kernels is not
# affected (294 again).
ONE_CORE_DRIVERS: Final = ((0, 9, 0), (0, 9, 6))
# The first model version of a row, and the runtimes that run it, both ends included: the table in
# the same chapter. It ends with 2.1.0; newer models have been seen to load in 2.0.0, with a
# warning and without the operators that were added since.
RUNTIMES: Final[tuple[tuple[Version, Version | None, Version | None], ...]] = (
    ((2, 0, 0), (2, 0, 0), None),
    ((1, 5, 2), (1, 5, 2), None),
    ((1, 5, 0), (1, 5, 0), (1, 5, 0)),
    ((0, 0, 0), None, (1, 5, 0)),  # None: not older than the model
)


class Fit(Enum):
    """Whether a runtime runs a model."""

    WELL = "well"
    OLDER_RUNTIME = "older runtime"
    NOT = "not"


def version(text: str | None) -> Version | None:
    """Return the first x.y.z in a text, None if there is none."""
    found = re.search(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", text or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def fit(model: Version, runtime: Version) -> Fit:
    """Return how librknnrt `runtime` runs what toolkit `model` made."""
    oldest, newest = next(row[1:] for row in RUNTIMES if row[0] <= model)
    if runtime < (oldest or model) or (newest is not None and runtime > newest):
        return Fit.NOT
    return Fit.OLDER_RUNTIME if runtime < model else Fit.WELL
