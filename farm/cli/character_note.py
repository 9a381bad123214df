"""What a run says when a bundled model, which reads characters, gets other pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from farm.results.result import Result
from farm.sources.sample_images import SAMPLE_NAME
from farm.system.log import LOG

# By name, so that a copy of the model is known, too.
BUNDLED: Final = re.compile(r"(glyphs|scenes)(-rk\d+)?\.(onnx|rknn)")
NOTE: Final = "note: the bundled model only reads the characters of the sample images; for photos: "
CLASSIFIER: Final = "make photos-model (in a clone of the project), or "
YOURS: Final = "-m YOUR-MODEL --labels YOUR-LABELS"


def with_note(results: Iterable[Result], model: Path | None) -> Iterator[Result]:
    """Yield `results`; before a bundled model's first answer to another picture, log a line.

    A file with the name of a sample image counts as one.
    """
    noting = model is not None and BUNDLED.fullmatch(model.name) is not None
    for result in results:
        if noting and _is_answer_to_another_picture(result):
            ways = YOURS if result.top5 is None else f"{CLASSIFIER}{YOURS}"
            LOG.warning(f"{NOTE}{ways}", extra={"event": "not_a_sample"})
            noting = False
        yield result


def _is_answer_to_another_picture(result: Result) -> bool:
    answered = result.error is None and not result.simulated
    return answered and SAMPLE_NAME.search(result.path or "") is None
