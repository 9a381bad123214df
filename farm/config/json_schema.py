"""The JSON schema of a config, with which editors complete and check one."""

from __future__ import annotations

import json
from typing import Any, Final

from farm.config.bundled import SCHEMA_FILE
from farm.config.expected import SCHEMA

DIALECT: Final = "http://json-schema.org/draft-07/schema#"  # the one that editors know best


def text() -> str:
    """Return the schema as JSON."""
    schema = {"$schema": DIALECT, **_without_titles(SCHEMA), "title": "npu-farm config"}
    return json.dumps(schema, indent=1) + "\n"


def _without_titles(schema: Any) -> Any:
    """Return a schema without pydantic's titles, which are the keys once more."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(value) for key, value in schema.items() if key != "title"}


if __name__ == "__main__":
    SCHEMA_FILE.write_text(text(), encoding="utf-8")
