"""Set values in the text of a config, line by line: its comments and its order stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from farm.config.yaml_text import dump, parse
from farm.errors import ConfigError

# A key of the first level, its value, the comment after it. A comment is taken for a key only if
# its value is a single word: all else is prose.
KEY: Final = r"^{key}(?P<gap>[ \t]*:[ \t]*)(?P<value>{value})(?P<rest>(?:[ \t]+#.*)?[ \t]*\r?)$"
VALUE: Final = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s#'"](?:[^\n\r#]|(?<!\s)#)*?|"""
WORD: Final = r"[^\s#]+"
SCHEMA: Final = r"^(# yaml-language-server: \$schema=)(?!/|\w+:)(\S+)"  # relative, for editors


def set_values(text: str, values: Mapping[str, Any]) -> str:
    """Return `text` with these keys of its first level set, each on the line that has it.

    Else on a line like `# key: 3`, which is then no longer a comment; else on a new last line.
    Raises ConfigError for a text that can't be changed by lines, like one in braces.
    """
    changed = text
    for key, value in values.items():
        name = re.escape(key)
        forms = (KEY.format(key=name, value=VALUE), KEY.format(key=f"# ?{name}", value=WORD))
        matches = [match for form in forms for match in [*re.finditer(form, changed, re.M)][-1:]]
        if not matches:
            end = "\r\n" if "\r\n" in changed else "\n"
            whole = changed if not changed or changed.endswith("\n") else changed + end
            changed = f"{whole}{key}: {dump(value)}{end}"
            continue
        found = matches[0]
        line = f"{key}{found['gap'] if found['value'] else ': '}{dump(value)}"
        rest = found["rest"]
        comment = rest.lstrip(" \t")
        if comment.startswith("#"):  # it stays in its column, if it can
            column = len(found[0]) - len(comment)
            rest = " " * max(1, column - len(line)) + comment
        changed = changed[: found.start()] + line + rest + changed[found.end() :]
    if read_values(changed) != {**read_values(text), **values}:
        lines = ", ".join(f"{key}: {dump(value)}" for key, value in values.items())
        raise ConfigError(f"can't be changed line by line; set it yourself: {lines}")
    return changed


def set_schema(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with the path of the JSON schema that its header names changed, if any."""
    return re.sub(SCHEMA, lambda found: found[1] + change(found[2]), text, flags=re.M)


def read_values(text: str) -> dict[str, Any]:
    """Return the values in a config's text; none if it is not a config."""
    try:
        values = parse(text, "config").values
    except ConfigError:
        return {}
    return values if isinstance(values, dict) else {}
