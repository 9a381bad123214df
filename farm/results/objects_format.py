"""The objects in an image as JSON, CSV and text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from farm.results.result import DetectedObject, Result
from farm.results.stats import PHASES_WITH_TASK
from farm.results.text_line import class_name, line_of
from farm.system.terminal import UNLIMITED

MORE: Final = " ..."  # objects, which nobody could know of otherwise
NO_OBJECT = ("",) * 7


class ObjectsFormat:
    """See AnswerFormat; boxes are in pixels of the upright image."""

    key = "objects"
    csv_head: tuple[str, ...] = (
        *("class", "label", "score", "left", "top", "right", "bottom"),
        *("image_width", "image_height"),
    )
    phases: tuple[str, ...] = PHASES_WITH_TASK

    def as_json(self, result: Result) -> dict[str, Any]:
        """See AnswerFormat.as_json."""
        if result.objects is None:
            return {self.key: None, "size": None}
        objects = [
            {
                "class": each.class_id,
                "label": each.label,
                "score": round(each.score, 6),
                "box": [round(edge, 2) for edge in each.box],
            }
            for each in result.objects
        ]
        return {self.key: objects, "size": result.size}

    def as_cells(self, result: Result) -> Iterator[tuple[Any, ...]]:
        """See AnswerFormat.as_cells; each object has a row, and a row without one says so."""
        size = result.size or ("", "")
        for each in result.objects or ():
            edges = (f"{edge:.2f}" for edge in each.box)
            yield each.class_id, each.label, f"{each.score:.6g}", *edges, *size
        if not result.objects:
            yield *NO_OBJECT, *size

    def as_text(self, result: Result, width: int) -> str:
        """See AnswerFormat.as_text; each class is there once, with its best score and its count."""
        best: dict[int, DetectedObject] = {}
        counts: Counter[int] = Counter()
        for each in result.objects or ():
            best.setdefault(each.class_id, each)
            counts[each.class_id] += 1
        found = [
            f"{class_name(each, simulated=result.simulated)} {each.score * 100:.1f} %"
            + (f" x{counts[at]}" if counts[at] > 1 else "")
            for at, each in best.items()
        ]
        whole = line_of(result, found or ["no objects"], UNLIMITED)
        if len(whole) <= width or len(found) < 2:
            return whole
        return line_of(result, found, width - len(MORE)) + MORE
