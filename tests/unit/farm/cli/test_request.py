"""What a run is asked for: refused at once where its results can't go."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.cli.request import Request
from farm.errors import OutputError
from farm.results.answer_format import format_of
from farm.results.writers import as_dict
from tests.helpers.results import result

PLAIN = Request(
    command="run",
    targets=("photos/",),
    recursive=False,
    repeat=1,
    output=None,
    html=None,
    annotate=None,
    resume=False,
    overwrite=False,
    typed=("photos/",),
    ordered=False,
    quiet=True,
)


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A results file with one line and a piece of a second one."""
    line = json.dumps(as_dict(result(id=6, path="a.jpg"), format_of("classify")))
    path = tmp_path / "used.jsonl"
    path.write_text(f'{line}\n{{"id": ')
    return path


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"resume": True}, "--resume: name the file"),
        ({"overwrite": True}, "--overwrite: name the file"),
        ({"output": "r.csv", "resume": True}, "only a .jsonl file"),
        ({"output": "r.txt"}, "must end in"),
        ({"output": "none/r.jsonl"}, "is no folder"),
        ({"output": "used.jsonl"}, "has .* bytes already"),
    ],
)
def test_results_that_can_not_go_there_are_refused(
    asked: dict[str, Any], said: str, used: Path
) -> None:
    if "output" in asked:
        asked = {**asked, "output": used.parent / asked["output"]}
    with pytest.raises(OutputError, match=said):
        replace(PLAIN, **asked).check()


def test_what_earlier_runs_have_done_counts_with_resume_alone(used: Path) -> None:
    again = replace(PLAIN, output=used, resume=True)
    again.check()
    earlier = again.earlier(format_of("classify"))
    assert (earlier.next_id, earlier.torn) == (7, len('{"id": '))
    anew = replace(PLAIN, output=used, overwrite=True)
    anew.check()
    assert anew.earlier(format_of("classify")).next_id == 0
