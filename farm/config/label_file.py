"""The names in a labels file: one a line, numbered lines, JSON, or the `names` of a YAML file.

A wrong name is worse than none: a file of which it is not certain what it is, is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import yaml

from farm.errors import ConfigError
from farm.system import encodings

YAML_SUFFIXES: Final = (".yaml", ".yml")
NAME_KEYS: Final = ("names", "id2label")  # of Ultralytics' data.yaml, of Hugging Face's config.json
IF_RIGHT: Final = 'if the names really are so, write a JSON list: ["first", "second"]'
ONLY_NAMES: Final = "keep only the names, one a line, in class order"

FROM_PYTHON: Final = (
    "python3 -c 'import ast, json, sys; print(json.dumps(ast.literal_eval(sys.stdin.read())))'"
    " < OLD > NEW"
)

WNID: Final = re.compile(r"^n[0-9]{8}[\s,:;]+(?=\S)")  # WordNet's numbers of ImageNet's classes
# Not the 0 of "0,5 litres" and "0.5 litres".
NUMBERED: Final = re.compile(
    r"([0-9]{1,9})(?:[:,;=)](?![0-9])|\.(?=\s)|(?=\s))\s*(\S.*)", re.DOTALL
)
# What the first line shows, or any line: (pattern, what it is, what to do).
FIRST_LINE: Final = (
    (r"version https://git-lfs\.", "it is a Git LFS pointer", "run `git lfs pull`"),
    (r"(?i)<(!doctype|html|\?xml)", "it is a web page", "download the file itself"),
    (r"item\s*\{", "it is a label map of TensorFlow (.pbtxt)", ONLY_NAMES),
    (
        r"(?i)((class|label)[ _]?(id|index|name)s?|id|idx|index|wnid|synset"
        r"|labels?|class(es)?|names?)\s*([,;\t].*)?$",
        "its first line is a table's head",
        f"{ONLY_NAMES}; {IF_RIGHT}",
    ),
    (
        r"[\[{]\s*([\"'0-9\[{]|$)",
        "it is no valid JSON",
        f"if it is Python: {FROM_PYTHON}",
    ),
)
ANY_LINE: Final = (
    (r"(#+\s+\S|//|<!--)", "looks like a comment", f"remove it; {IF_RIGHT}"),
    (r"names:(\s|$)", "is YAML", "name the file .yaml"),
)
# What all lines show.
ALL_LINES: Final = (
    (r"([\"']).*\1,?", "is in quotes", f"remove them; {IF_RIGHT}"),
    (r"-\s+.*", "begins with a dash", f"remove the dashes; {IF_RIGHT}"),
    (r".*[,;\t:=]\s*[0-9]+", "ends in a number", f"{ONLY_NAMES}; {IF_RIGHT}"),
    (r".*[\s,;:]n[0-9]{8}", "ends in a WordNet number", ONLY_NAMES),
)


class Pairs(tuple[tuple[Any, Any], ...]):
    """A map as it is written, so that a key that comes twice is seen."""

    __slots__ = ()


def read_names(data: bytes, suffix: str) -> tuple[str, ...]:
    """Return the class names in the content of a file with this suffix, in class order.

    Raises ConfigError with the reason for a file that holds none, or of which it is not certain
    what it holds.
    """
    text = decode(data)
    if suffix.lower() in YAML_SUFFIXES:
        return from_value(compose_yaml(text))
    try:
        value = json.loads(text, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, (list, Pairs)):
        return from_value(value)
    if suffix.lower() == ".json":
        raise ConfigError("it is no JSON list or map of names")
    return from_lines(text)


def decode(data: bytes) -> str:
    """Return the text of a file in UTF-8, without a byte order mark; raise ConfigError."""
    problem = encodings.objection(data)
    if problem is None and b"\0" in data:
        problem = "it holds NUL bytes, so it is no text file"
    if problem is not None:
        raise ConfigError(problem)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "if it is Windows-1252 or Latin-1, convert it: iconv -f WINDOWS-1252 -t UTF-8"
        raise ConfigError(f"line {line} is not UTF-8; {hint} OLD > NEW") from error


def compose_yaml(text: str) -> Any:
    """Return the names of a YAML file, or all of it, as a list or Pairs of strings."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = getattr(error, "problem", None) or error
        raise ConfigError(f"invalid YAML: {reason}") from error
    if isinstance(node, yaml.MappingNode):
        node = pick([(key.value, value) for key, value in node.value], node)
    # As written: "no" and "1.0" are names here, neither False nor a number.
    if isinstance(node, yaml.MappingNode):
        return Pairs((scalar(key), scalar(value)) for key, value in node.value)
    return [scalar(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else None


def pick(pairs: Iterable[tuple[Any, Any]], whole: Any) -> Any:
    """Return the value of the one key in NAME_KEYS, `whole` if there is none."""
    found = [value for key, value in pairs if key in NAME_KEYS]
    if len(found) > 1:
        raise ConfigError(f"it has more than one of {', '.join(NAME_KEYS)}; keep one")
    return found[0] if found else whole


def scalar(node: yaml.Node) -> str | None:
    """Return what is written there; None for a list or a map."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


def from_value(value: Any) -> tuple[str, ...]:
    """Return the names in a list, in a map from numbers to names, or from names to numbers."""
    if isinstance(value, Pairs):
        value = pick(value, value)
    if isinstance(value, Pairs):
        keys, values = [number(key) for key, _ in value], [number(inner) for _, inner in value]
        if None not in keys and (None in values or keys == values):
            return in_order([(int(key), name_in(inner)) for key, inner in value])
        if None not in values and None in keys:
            return in_order([(int(inner), name_in(key)) for key, inner in value])
        raise ConfigError("it is no map from class numbers to names, and has no `names`")
    if not isinstance(value, list) or not value:
        raise ConfigError("it is no list or map of names")
    return tuple(map(name_in, value))


def number(value: Any) -> int | None:
    """Return a class number, an integer or its digits; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def name_in(value: Any) -> str:
    """Return a name as it is, or that of a pair of WordNet number and name; raise ConfigError."""
    match value:
        case str() if value and not re.search(r"[\ud800-\udfff]", value):
            return value
        case [str() as wnid, str() as name] if re.fullmatch(r"n[0-9]{8}", wnid):
            return name_in(name)
    raise ConfigError(f"{json.dumps(value)[:60]} is no name")


def in_order(numbered: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return the names by their numbers, which must be those from 0; raise ConfigError."""
    found = dict(numbered)
    names = tuple(found[each] for each in range(len(numbered)) if each in found)
    if len(names) == len(numbered):
        return names
    if len(found) < len(numbered):
        problem = "a class number comes twice"
    elif sorted(found) == list(range(1, len(numbered) + 1)):
        problem = "its numbers begin with 1, class numbers with 0"
    else:
        missing = next(each for each in range(len(numbered)) if each not in found)
        problem = f"its numbers are not 0 to {len(numbered) - 1}: there is no {missing}"
    raise ConfigError(f"{problem}; {ONLY_NAMES}; {IF_RIGHT}")


def from_lines(text: str) -> tuple[str, ...]:
    """Return the names that stand one a line, alone or after class numbers and WordNet numbers."""
    # Not str.splitlines: it also parts lines at form feeds, U+2028 and others.
    lines = [line.removeprefix("\ufeff").strip() for line in re.split(r"\r\n|\n|\r", text)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ConfigError("the file is empty")
    check_lines(lines)
    names = [WNID.sub("", name) for name in unnumbered([WNID.sub("", line) for line in lines])]
    check_names(names)
    return tuple(names)


def check_lines(lines: list[str]) -> None:
    """Raise ConfigError for lines that belong to another format, or to no class."""
    for pattern, what, advice in FIRST_LINE:
        if re.match(pattern, lines[0]):
            raise ConfigError(f"{what}; {advice}")
    for count, line in enumerate(lines, start=1):
        if not line:
            raise ConfigError(f"line {count} is empty; remove it, or name that class")
        for pattern, what, advice in ANY_LINE:
            if re.match(pattern, line):
                raise ConfigError(f"line {count} {what}; {advice}")


def check_names(names: list[str]) -> None:
    """Raise ConfigError if all names have something that hardly belongs to them."""
    for pattern, what, advice in ALL_LINES:
        if len(names) > 1 and all(re.fullmatch(pattern, name) for name in names):
            raise ConfigError(f"each name {what}; {advice}")


def unnumbered(lines: list[str]) -> Sequence[str]:
    """Return the names of lines that begin with class numbers, in that order; else the lines."""
    found = [NUMBERED.fullmatch(line) for line in lines]
    numbered = [(int(each[1]), each[2]) for each in found if each]
    if len(numbered) <= len(lines) // 2:
        ends = [int(end[1]) for x in lines if (end := re.fullmatch(r".*\s([0-9]{1,9})", x))]
        if ends != sorted(ends) and sorted(ends) == list(range(len(lines))):
            raise ConfigError(f"each line ends in a class number; {ONLY_NAMES}; {IF_RIGHT}")
        return lines
    if len(numbered) < len(lines):
        raise ConfigError(
            f"most lines begin with a number, line {found.index(None) + 1} does not; {IF_RIGHT}"
        )
    if len(numbered) > 1 and 2 * len({name for _, name in numbered}) <= len(numbered):
        raise ConfigError(f"its lines hardly differ without their numbers; {IF_RIGHT}")
    return in_order(numbered)
