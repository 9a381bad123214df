"""What a template is given is escaped, and must be there."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from farm.report.html.templates import environment


def test_what_is_filled_in_is_escaped_and_control_characters_are_seen() -> None:
    made = environment().from_string("{{ said }}")
    assert made.render(said="<b>\x1b[31m\u202e") == "&lt;b&gt;\\x1b[31m\\u202e"


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ said }}").render()
