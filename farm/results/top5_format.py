"""Top-5 lists as JSON, CSV and text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from farm.results.result import Result
from farm.results.stats import PHASES
from farm.results.text_line import class_name, line_of
from workers.protocol.spec import K

COLUMNS: Final = ("class", "label", "score")


class Top5Format:
    """See AnswerFormat."""

    key = "top5"
    csv_head: tuple[str, ...] = tuple(
        f"{what}{rank}" for rank in range(1, K + 1) for what in COLUMNS
    )
    phases: tuple[str, ...] = PHASES

    def as_json(self, result: Result) -> dict[str, Any]:
        """See AnswerFormat.as_json."""
        if result.top5 is None:
            return {self.key: None}
        return {
            self.key: [
                {"class": p.class_id, "label": p.label, "score": round(p.score, 6)}
                for p in result.top5
            ]
        }

    def as_cells(self, result: Result) -> Iterator[tuple[Any, ...]]:
        """See AnswerFormat.as_cells."""
        cells = [x for p in result.top5 or () for x in (p.class_id, p.label, f"{p.score:.6g}")]
        yield (*cells, *[""] * (len(self.csv_head) - len(cells)))

    def as_text(self, result: Result, width: int) -> str:
        """See AnswerFormat.as_text; cut after the last class that fits."""
        best = [
            f"{class_name(each, simulated=result.simulated)} {each.score * 100:.1f} %"
            for each in result.top5 or ()
        ]
        return line_of(result, best or ["all scores are 0"], width)
