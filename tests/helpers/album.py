"""Images and what one farm alone answers to each; a results file against that."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.helpers.programs import npu_farm
from tests.helpers.support import ROOT

CONFIG: Final = (str(ROOT / "configs" / "rk3588.yaml"), "--runtime", "simulated", "-c", "all")
Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How many images have no line, more lines than they should, a line that is not right.

    `errors` counts the kinds of errors, `boards` the right answers of each board.
    """

    lost: int
    double: int
    wrong: int
    errors: Counter[str]
    boards: Counter[str]

    @property
    def is_clean(self) -> bool:
        """Whether each image has one right answer."""
        return not (self.lost or self.double or self.wrong or self.errors)


class Album:
    """Images of one folder, all different, and what one farm alone answers to each."""

    def __init__(self, folder: Path, alone: Path) -> None:
        self.folder = folder
        self.answers = {name_of(line): answer_of(line) for line in lines(alone)}

    def __len__(self) -> int:
        return len(self.answers)

    def account(self, results: list[Line], *, repeats: int = 1) -> Account:
        """Compare results with what is right, each image `repeats` times."""
        counts = Counter(map(name_of, results))
        ids = Counter(line["id"] for line in results)
        answered = [line for line in results if line["error"] is None]
        right = [line for line in answered if self.answers.get(name_of(line)) == answer_of(line)]
        return Account(
            lost=sum(max(0, repeats - counts[name]) for name in self.answers),
            double=sum(max(0, count - repeats) for count in counts.values())
            + sum(count - 1 for count in ids.values()),
            wrong=len(answered) - len(right),
            errors=Counter(line["error"]["kind"] for line in results if line["error"]),
            boards=Counter(line["board"] for line in right),
        )


def name_of(line: Line) -> str:
    """The name of a line's image; folders may have been moved."""
    return Path(line["path"]).name


def answer_of(line: Line) -> list[Line]:
    """What a line says is in the image."""
    found: list[Line] = line.get("top5") or line.get("objects") or []
    return found


def lines(output: Path) -> list[Line]:
    """The whole lines of a results file."""
    whole = output.read_bytes().rpartition(b"\n")[0] if output.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def make_album(folder: Path, pictures: list[Path], count: int) -> Album:
    """Make `count` images in a folder, which are links to pictures, and let one farm answer."""
    images = folder / "images"
    images.mkdir(parents=True)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        os.link(picture, images / f"{number:05}-{picture.name}")
    alone = folder / "alone.jsonl"
    fast = ("--set", "simulated.service_ms=0", "-s", "1", "-q")
    done = npu_farm("run", *CONFIG, *fast, "-d", str(images), "-o", str(alone))
    assert done.returncode == 0, done.stderr
    return Album(images, alone)
