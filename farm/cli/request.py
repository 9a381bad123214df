"""What `npu-farm run` and `npu-farm send` are asked for: which images, where results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from farm.errors import OutputError
from farm.results.answer_format import AnswerFormat
from farm.results.resume_index import ResumeIndex, read
from farm.results.writers import JSONL, check_empty, check_name
from farm.system.log import LOG


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which images (`targets`), how often, where results go.

    `command` is the one that was asked. With `recursive`, the folders in folders are looked into.

    With `resume`, `output` is gone on with, with `overwrite` replaced; without, it must be empty.
    `html` is the page to make of the results, `annotate` the folder for annotated copies.
    `typed` are the command's words as the user typed them.
    """

    command: str
    targets: tuple[str, ...]
    recursive: bool
    repeat: int
    output: Path | None
    html: Path | None
    annotate: Path | None
    resume: bool
    overwrite: bool
    typed: tuple[str, ...]
    ordered: bool
    quiet: bool

    def check(self) -> None:
        """Raise OutputError if results can't go where they shall."""
        if self.output is None and (
            self.resume or (self.overwrite and not (self.html or self.annotate))
        ):
            flag, what = ("resume", "append to") if self.resume else ("overwrite", "replace")
            raise OutputError(f"--{flag}: name the file to {what}: -o results{JSONL}")
        if self.output is None:
            return
        if self.resume and self.output.suffix != JSONL:
            raise OutputError(f"--resume: {self.output}: only a {JSONL} file can be resumed")
        if not (self.resume or self.overwrite):
            check_empty(self.output)
        if not self.resume:  # else what is there is said of the reading
            check_name(self.output)

    def earlier(self, answers: AnswerFormat) -> ResumeIndex:
        """Return what earlier runs have done of this one; raise OutputError if that is unknown."""
        if self.output is None or not self.resume:
            return ResumeIndex()
        earlier = read(self.output, answers.key)
        check_name(self.output)
        if earlier.torn:
            LOG.info(
                f"{self.output}: its last line was cut off after {earlier.torn} bytes; "
                "it is removed, and its image is done again"
            )
        return earlier
