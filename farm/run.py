"""One run of the farm over images, as the command line does it; gives the exit code."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from farm import sources, text
from farm.api import Farm
from farm.config import FarmConfig
from farm.errors import EXIT_OK, EXIT_SIGNAL_BASE, EXIT_SOME_FAILED, FarmError
from farm.interrupts import Interrupts
from farm.progress import open_progress
from farm.renders import write_renders
from farm.stats import Stats
from farm.writers import open_writer

RENDERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to classify (`targets`; empty: what the config says), how often, where results go."""

    targets: tuple[str, ...]
    repeat: int
    output: Path | None
    ordered: bool
    quiet: bool


def say(message: str) -> None:
    """Tell the user something that is no result."""
    print(text.printable(message), file=sys.stderr, flush=True)


def run(config: FarmConfig, request: Request) -> int:
    """Classify what `request` names; gives 0 (all ok), 1 (some failed) or 128 plus a signal."""
    source = sources.from_targets(targets(config, request.targets), times=request.repeat)
    truth = truth_of(config.truth)
    stats = Stats()
    on_terminal = not request.quiet and request.output is None and sys.stdout.isatty()
    with Interrupts() as interrupts, open_writer(request.output, quiet=request.quiet) as writer:
        farm = Farm(config, tell=say, interrupts=interrupts)
        try:
            with farm:
                begun = time.monotonic()
                with open_progress(source.total, lines_on_terminal=on_terminal) as progress:
                    for result in farm.run(source, ordered=request.ordered):
                        stats.count(result, truth(result.path))
                        writer.write(result)
                        progress.advance()
                seconds = time.monotonic() - begun
                stats.losses = farm.losses
        except FarmError:
            if interrupts.received:
                return EXIT_SIGNAL_BASE + interrupts.received[0]
            raise
        sys.stdout.flush()
        snapshot = stats.snapshot(seconds=seconds)
        print("\n".join(text.summary(snapshot, farm.plan)), file=sys.stderr)
        if interrupts.received:
            say("stopped by a signal before all images were processed")
            return EXIT_SIGNAL_BASE + interrupts.received[0]
    all_ok = snapshot.failed == 0 and snapshot.ok > 0
    return EXIT_OK if all_ok else EXIT_SOME_FAILED


def targets(config: FarmConfig, given: tuple[str, ...]) -> tuple[str, ...]:
    """What to classify: what the command line names, else the config, else renders of our own."""
    if given:
        return given
    if config.images is not None:
        return (config.images,)
    folder = default_renders()
    say(f"no images given: using renders of our own in {folder}")
    return (str(folder),)


def default_renders() -> Path:
    """The folder with 200 renders of our own in the user's cache, made now if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "npu-farm" / "renders"
    if not folder.is_dir() or len(list(folder.iterdir())) < RENDERS:
        say(f"rendering {RENDERS} images into {folder}")
        write_renders(folder, count=RENDERS, seed=1)
    return folder


def truth_of(pattern: str | None) -> Callable[[str | None], str | None]:
    """Give the function that reads the right label off a path, as the config's `truth` says."""
    if pattern is None:
        return lambda _path: None
    search = re.compile(pattern).search

    def label(path: str | None) -> str | None:
        found = search(path) if path is not None else None
        return found.group(1) if found else None

    return label
