"""A config's text: its values, where each key stands, and what is wrong with the YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import yaml

from farm.errors import ConfigError

# What PyYAML raises: apart from its own errors, for values that are not of the type (tag) that they
# name, and for brackets in thousands of brackets.
_YAML_ERRORS: Final = (yaml.YAMLError, ValueError, AttributeError, RecursionError)
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
QUOTE_IT: Final = "put the value in single quotes"
# What PyYAML says (context, problem), in words for who did not mean to write YAML; and whether the
# mistake stands where it began to read (its context), not where it noticed.
WORDS: Final = (
    (r"'\\t'", "a tab; indent with spaces", False),
    (r"mapping values are not allowed", f"a second `: `, or wrong indentation; {QUOTE_IT}", False),
    (r"could not find expected ':'", "no `: ` after this key; write `key: value`", True),
    (r"scanning a quoted scalar.*end of stream", "a quote without its end", True),
    (r"unknown escape", r"a \ in double quotes begins an escape; use single quotes", False),
    (r"parsing a flow sequence", "a [ without its ]", True),
    (r"parsing a flow mapping", "a { without its }", True),
    (r"expected the node content.*end", "a [ or { without its end", False),
    (r"expected the node content", "no value here", False),
    (r"unhashable key", "this can't be a key; write `key: value` lines", False),
    (r"recursion", "too many brackets in brackets", False),
    (r"expected <block end>", "its indentation fits no line above", False),
    (r"alias", f"* begins a reference in YAML; {QUOTE_IT}", False),
    (r"anchor", f"& begins an anchor in YAML; {QUOTE_IT}", False),
    (r"tag", f"! begins a type in YAML; {QUOTE_IT}", False),
    (r"cannot start any token", f"a value can't begin with this character; {QUOTE_IT}", False),
    (r"single document", "a second document begins here; write one", False),
)


class _Loader(yaml.SafeLoader):
    """Reads 2026-11-25 as text: a config has no dates, but folders have such names."""

    yaml_constructors: ClassVar = {
        **yaml.SafeLoader.yaml_constructors,
        _TIMESTAMP: yaml.SafeLoader.construct_yaml_str,
    }


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column, from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says: its values, and where the keys of the first two levels stand.

    Keys are dotted: `input.width`. `wrong` has what is wrong with keys themselves, by their place.
    """

    values: Any
    places: Mapping[str, Place]
    wrong: Mapping[Place, str]


def parse(text: str, name: str) -> Document:
    """Parse YAML; raise ConfigError with `name`, line, column and reason if it is invalid."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        places: dict[str, Place] = {}
        wrong = dict(_walk(node, "", places))
        values = None if node is None else loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        before = text[: error.position].split("\n")
        place = Place(len(before), len(before[-1]) + 1)
        raise ConfigError(f"{name}:{place}: invalid YAML: a control character") from error
    except _YAML_ERRORS as error:
        raise ConfigError(f"{name}{_in_words(error)}") from error
    return Document(values, places, wrong)


def dump(value: Any) -> str:
    """Return a value as YAML in one line; raise YAMLError or ValueError for what YAML has not."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=2**20, sort_keys=False
    )
    return str(text).removesuffix("\n").removesuffix("\n...")


def _walk(
    node: yaml.Node | None, section: str, places: dict[str, Place]
) -> Iterator[tuple[Place, str]]:
    """Add the places of a mapping's keys, and of its sections'; yield what is wrong with keys."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    for key, value in pairs:
        place, text = _place(key.start_mark), f"{section}{key.value}"
        if key.tag.endswith(":merge"):
            continue
        if not key.tag.endswith(":str"):
            said = key.value if isinstance(key, yaml.ScalarNode) else "this key"
            yield place, f"{said}: no name of a key; write `key: value` lines"
        elif text in places:
            yield place, f"{text}: given twice, in line {places[text].line}, too"
        places[text] = place  # of the last, which counts
        if not section:
            yield from _walk(value, f"{text}.", places)


def _in_words(error: Exception) -> str:
    """Return `:line:column: invalid YAML: problem`, without a place if PyYAML tells none."""
    problem = getattr(error, "problem", None) or str(error)
    noticed, began = (getattr(error, name, None) for name in ("problem_mark", "context_mark"))
    mark = noticed or began
    said = f"{getattr(error, 'context', '')}: {problem}"
    for pattern, words, at_beginning in WORDS:
        if re.search(pattern, said):
            problem, mark = words, (began or mark) if at_beginning else mark
            break
    return f"{f':{_place(mark)}' if mark else ''}: invalid YAML: {problem}"


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)
