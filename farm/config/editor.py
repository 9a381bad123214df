"""Values put into the text of a config, line by line: its comments and its order stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from farm.config.loader import NOT_YAML
from farm.errors import ConfigError

# A key of the first level, its value, the comment after it. A commented key is one if nothing
# but a word stands for its value: all else is prose.
KEY: Final = r"^{key}(?P<gap>[ \t]*:[ \t]*)(?P<value>{value})(?P<rest>(?:[ \t]+#.*)?[ \t]*\r?)$"
VALUE: Final = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s#'"](?:[^\n\r#]|(?<!\s)#)*?|"""
WORD: Final = r"[^\s#]+"


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """Give `text` with these keys of its first level set, each on the line that has it.

    Else on a line like `# key: 3`, which becomes one that counts; else on a new last line. Raises
    ConfigError for a text whose form does not allow it: then nothing but its own words would do.
    """
    changed = text
    for key, value in values.items():
        changed = _with_value(changed, key, _written(value))
    if read(changed) != {**read(text), **values}:
        lines = ", ".join(f"{key}: {_written(value)}" for key, value in values.items())
        raise ConfigError(f"can't be changed line by line; set it yourself: {lines}")
    return changed


def _with_value(text: str, key: str, value: str) -> str:
    name = re.escape(key)
    for pattern in (KEY.format(key=name, value=VALUE), KEY.format(key=f"# ?{name}", value=WORD)):
        found = list(re.finditer(pattern, text, re.M))
        if found:
            return _replaced(text, found[-1], key, value)
    end = "\r\n" if "\r\n" in text else "\n"
    whole = text if not text or text.endswith("\n") else text + end
    return f"{whole}{key}: {value}{end}"


def _replaced(text: str, found: re.Match[str], key: str, value: str) -> str:
    """Put the line in place of the one found; its comment stays in its column, if it can."""
    before = f"{key}{found['gap'] if found['value'] else ': '}{value}"
    rest = found["rest"]
    comment = rest.lstrip(" \t")
    if comment.startswith("#"):
        column = len(found[0]) - len(comment)
        rest = " " * max(1, column - len(before)) + comment
    return text[: found.start()] + before + rest + text[found.end() :]


def _written(value: Any) -> str:
    return str(yaml.safe_dump(value, width=2**20, allow_unicode=True)).splitlines()[0]


def read(text: str) -> dict[str, Any]:
    """The values in a text; none if it is no config."""
    try:
        values = yaml.safe_load(text)
    except NOT_YAML:
        return {}
    return values if isinstance(values, dict) else {}
