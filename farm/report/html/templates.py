"""The environment in which all pages' templates are filled: escaped, nothing left undefined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from farm.system.terminal import printable

if TYPE_CHECKING:  # imported only where a page is made
    from jinja2 import Environment

SHARED: Final = "farm.report.html"


def environment(*packages: str) -> Environment:
    """Return the environment of the templates in `packages` and of what all pages share."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=ChoiceLoader([PackageLoader(name, "") for name in (*packages, SHARED)]),
        autoescape=True,
        # Control characters become visible; the template escapes the rest afterwards.
        finalize=lambda value: value if hasattr(value, "__html__") else printable(str(value)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
