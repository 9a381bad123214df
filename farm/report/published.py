"""What go-rknnlite (https://github.com/swdee/go-rknnlite) has published of the same SoCs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from farm.report.data import Published

# Named in tables, pages and JSON.
SOURCE: Final = (
    "go-rknnlite (github.com/swdee/go-rknnlite), pool example: MobileNet-v1, 8000 ImageNet images"
)

# Average milliseconds per image, and the NPU load where it is published, by number of runtimes.
_TABLE: Final[Mapping[str, Mapping[int, tuple[float, float | None]]]] = {
    "rk3588": {
        1: (7.73, None),
        2: (3.49, None),
        3: (2.31, None),
        6: (1.52, None),
        9: (1.19, None),
        12: (1.13, None),
        15: (1.09, 0.80),
    },
    "rk3576": {
        1: (11.76, None),
        2: (5.33, None),
        4: (2.94, None),
        6: (2.23, None),
        8: (1.87, None),
        10: (1.76, None),
        12: (1.71, 0.64),
    },
    "rk3566": {
        1: (22.21, None),
        2: (10.91, None),
        3: (8.51, None),
        4: (7.58, None),
        5: (7.43, None),
        6: (6.73, 0.76),
    },
}
FIGURES: Final[Mapping[str, tuple[Published, ...]]] = MappingProxyType(
    {
        platform: tuple(
            Published(runtimes=runtimes, average_ms=ms, saturation=load)
            for runtimes, (ms, load) in rows.items()
        )
        for platform, rows in _TABLE.items()
    }
)


def published(platform: str) -> tuple[Published, ...]:
    """Return the published figures for a SoC, by rising number of runtimes; maybe none."""
    return FIGURES.get(platform, ())
