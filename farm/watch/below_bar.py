"""What stands below the bar of a run or a measurement: its farm's rate and NPU load."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from farm.watch.history import History
from farm.watch.snapshot import Snapshot

if TYPE_CHECKING:
    from rich.console import RenderableType


class BelowBar:
    """Lines of a farm that are drawn anew each time they are asked for; `look` shows the farm."""

    def __init__(self, look: Callable[[], Snapshot]) -> None:
        self._look, self._history = look, History()

    def __call__(self, width: int) -> RenderableType:
        """Return them, `width` columns wide."""
        # Only paid for where a bar is seen.
        from rich.console import Group

        from farm.watch.panes import Panes, View

        snapshot = self._look()
        self._history = self._history.after(snapshot)
        panes = Panes(View(snapshot=snapshot, history=self._history, now=snapshot.at))
        farm = snapshot.farm
        if farm is None:
            return Group()
        load = panes.cpus(0) if farm.npu_load is None else panes.npu(width)
        return Group(panes.rate(farm), *load)
