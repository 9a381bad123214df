"""Colours for words with a meaning: texts stay plain, and are coloured as they are printed."""

from __future__ import annotations

import os
import re
from typing import Final, TextIO

from farm.system.terminal import obeys

WARNING: Final = "yellow"
# A group's name is its colour: one of the eight that a terminal chooses to suit its background.
MEANINGS: Final = re.compile(
    r"""(?mx)
    (?P<red>
        ^error: | \berror:\ \w+:\ .* | ^\d+\ failed: | ^Failed\b | \bimages\s+failed\b  # of images
        | ^failure\b | ^\d+\ failures?\b  # of the doctor
    )
    | (?P<yellow>
        ^warning\b | \b\d+\ warnings?$ | ^note: | \b[Ww]orkers\s+lost\b | ^Dropped\b
        | \bLEFT\s+OUT\b | ^NOT\ THE\ SAME\b | ^other\ programs\ used\b
    )
    | (?P<green> ^ok\b | ^no\ problems\ found$ )
    """
)


def coloured(text: str, stream: TextIO, colour: str | None = None) -> str:
    """Return `text` for `stream` with the words of MEANINGS in their colours.

    Without such words, all is in `colour`. No colours where the stream is no terminal, with
    TERM=dumb, and with NO_COLOR.
    """
    if not obeys(stream) or os.environ.get("NO_COLOR"):
        return text
    # The command line has this loaded, and not yet rich, whose import needs memory and files: what
    # is coloured may be the message that none are left.
    import click

    marked = MEANINGS.sub(lambda found: click.style(found[0], fg=found.lastgroup), text)
    return click.style(text, fg=colour) if marked == text and colour else marked
