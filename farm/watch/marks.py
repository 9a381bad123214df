"""Bars, sparklines and colours: what is drawn of figures, on light and dark terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.segment import Segment

# Of the 240 colours that no terminal changes, those with a contrast of 3 or more to black, to white
# and to the usual backgrounds between. Where there are only 16 colours, rich takes the nearest.
GOOD: Final = "color(28)"
BUSY: Final = "color(32)"
WARNING: Final = "color(136)"
BAD: Final = "color(167)"
FAINT: Final = "bright_black"  # the rest of a bar: may nearly vanish
HEAD: Final = "bold"

LEVELS: Final = "▁▂▃▄▅▆▇█"
ASCII_LEVELS: Final = "_.:-=+*#"


def load_bar(share: float, width: int | None = None) -> ProgressBar:
    """Return a bar of a share (0 to 1) of time, as wide as there is room by default."""
    bar = ProgressBar(total=1.0, completed=share, width=width, style=FAINT)
    bar.complete_style = bar.finished_style = BUSY  # a full one is not better than others
    return bar


class Sparkline:
    """The last of some values, as many as there are columns for, as bars from 0 to `highest`.

    By default, `highest` is the highest of them that is shown.
    """

    def __init__(self, values: Sequence[float], highest: float | None = None) -> None:
        self._values, self._highest = values, highest

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        levels = ASCII_LEVELS if options.ascii_only else LEVELS
        shown = self._values[-options.max_width :]
        top = max(self._highest or max(shown, default=0.0), 1e-9)
        at = (round(min(1.0, max(0.0, value / top)) * (len(levels) - 1)) for value in shown)
        yield Segment("".join(levels[level] for level in at), _console.get_style(BUSY))

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, max(1, min(len(self._values), options.max_width)))


def heat(degrees: float) -> str:
    """Return the style of a temperature in degrees C.

    The trip points of Rockchip's device trees: a SoC slows down to stay below 85; from 75 (some
    from 70) it begins to.
    """
    return BAD if degrees >= 85 else WARNING if degrees >= 75 else ""
