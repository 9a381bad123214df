"""The JSON schema of a config, with which editors complete and check one."""

from __future__ import annotations

import ast
import inspect
import json
from itertools import pairwise
from typing import Any, Final

from farm.config.bundled import SCHEMA_FILE
from farm.config.expected import SCHEMA
from farm.config.schema import FarmConfig, InputConfig, SimulatedConfig

DIALECT: Final = "http://json-schema.org/draft-07/schema#"  # the one that editors know best


def text() -> str:
    """Return the schema as JSON."""
    schema = _without_titles(SCHEMA)
    for model in (FarmConfig, InputConfig, SimulatedConfig):
        section = schema["$defs"].get(model.__name__, schema)
        for key, said in explanations(model).items():
            section["properties"][key]["description"] = said
    return json.dumps({"$schema": DIALECT, **schema, "title": "npu-farm config"}, indent=1) + "\n"


def explanations(model: type) -> dict[str, str]:
    """Return the text below each field of a class.

    pydantic, too, would find them: at each start of a farm, where they took 16 ms.
    """
    (defined,) = ast.parse(inspect.getsource(model)).body
    found = {}
    for field, said in pairwise(ast.iter_child_nodes(defined)):
        match field, said:
            case (
                ast.AnnAssign(target=ast.Name(id=key)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[key] = inspect.cleandoc(text)
    return found


def _without_titles(schema: Any) -> Any:
    """Return a schema without pydantic's titles, which are the keys once more."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title"}


if __name__ == "__main__":
    SCHEMA_FILE.write_text(text(), encoding="utf-8")
