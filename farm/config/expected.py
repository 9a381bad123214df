"""What each key of a config takes, in words, from the schema itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from farm.config.schema import FarmConfig

SCHEMA: Final = FarmConfig.model_json_schema()
FORMS: Final = {  # where the schema's types say less than a user wants to know
    "cpu": "fast, slow, all, or a list of CPUs like [4, 5] or 4-7",
    "decoder_cpu": "same, fast, slow, all, or a list of CPUs like [0, 1] or 0-3",
    "npu_cores": "all, or a list of cores like [0, 1]",
    "input.mean": "three numbers from -1000000 to 1000000, like [127.5, 127.5, 127.5]",
    "input.std": "three numbers above 0, at most 1000000, like [127.5, 127.5, 127.5]",
    "model": "the path of a model file",
    "labels": "the path of a file with one label a line",
    "images": "a folder, a file, a glob or a .txt list",
    "task": "classify, detect, or package.module:name for a task of your own",
    "task_options": "keys and values",
    "truth": "a regular expression in quotes, or folder",
}


def _properties(schema: Mapping[str, Any], above: str = "") -> dict[str, dict[str, Any]]:
    """Return the schema of each key, dotted; a section is one, too."""
    found = {}
    for name, property_ in schema["properties"].items():
        found[f"{above}{name}"] = property_
        if (reference := property_.get("$ref")) is not None:
            section = SCHEMA["$defs"][reference.rpartition("/")[2]]
            found |= _properties(section, f"{above}{name}.")
    return found


PROPERTIES: Final = _properties(SCHEMA)
SECTIONS: Final = tuple(key for key, schema in PROPERTIES.items() if "$ref" in schema)


def keys_of(section: str) -> list[str]:
    """Return the keys of a section, or of the first level (""), without its name."""
    below = f"{section}." if section else ""
    names = (key.removeprefix(below) for key in PROPERTIES if key.startswith(below))
    return sorted(name for name in names if "." not in name)


def choices(key: str) -> tuple[str, ...]:
    """Return the words that a key takes; none if it takes no words."""
    return tuple(word for form in _alternatives(PROPERTIES[key]) for word in _words(form))


def expected(key: str) -> str:
    """Return what a key takes: `auto, or a whole number from 1 to 64`."""
    if key in FORMS:
        return FORMS[key]
    said = [_form(form) for form in _alternatives(PROPERTIES[key]) if form.get("type") != "null"]
    return ", or ".join(said)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like `word`, if one is like it."""
    spelt = {each.lower(): each for each in known}
    plain = word.lower().replace("-", "_")
    near = get_close_matches(plain, spelt, n=1, cutoff=0.65)
    return spelt[near[0]] if near else None


def nearest_key(key: str) -> str | None:
    """Return the known key that is most like `key`, in its own section or in another."""
    section, _, name = key.rpartition(".")
    if (near := nearest(name, keys_of(section))) is not None:
        return f"{section}.{near}".strip(".")
    elsewhere = {known.rpartition(".")[2]: known for known in reversed(PROPERTIES)}
    near = nearest(name, elsewhere)
    return None if near is None else elsewhere[near]


def _alternatives(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(schema.get("anyOf", [schema]))


def _words(schema: Mapping[str, Any]) -> list[str]:
    if schema.get("type") == "boolean":
        return ["true", "false"]
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _form(schema: Mapping[str, Any]) -> str:
    if words := _words(schema):
        return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    number = "a whole number" if schema["type"] == "integer" else "a number"
    if "exclusiveMinimum" in schema:
        return f"{number} above {schema['exclusiveMinimum']:.15g}, at most {schema['maximum']:.15g}"
    return f"{number} from {schema['minimum']:.15g} to {schema['maximum']:.15g}"
