"""The JSON Schema of config.yaml, with which editors complete and check it (json-schema.org)."""

import json
from typing import Any

from pydantic import BaseModel

from .board import Board
from .example import defaults
from .fields import documentation, is_group, models, sections
from .problems import Key
from .section import Switch
from .settings import Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema, with documentation and defaults as a file has them."""
    whole = Settings.model_json_schema()
    groups = {**whole["$defs"], Settings.__name__: whole}
    for model in dict.fromkeys(models(Settings)):
        describe(groups[model.__name__], model)
    for key, section in sections(Settings):
        set_defaults(groups[section.__name__]["properties"], section, key)
        if issubclass(section, Switch):
            whole["$defs"][section.__name__] = switch(groups[section.__name__])
    whole["properties"]["boards"]["items"] = {"anyOf": [{"type": "string"}, reference(Board)]}
    return {
        "$schema": DIALECT,
        **whole,
        "title": "monitor configuration",
    }


def schema_text() -> str:
    """The text of config.schema.json."""
    return json.dumps(schema(), indent=2) + "\n"


def describe(group: dict[str, Any], model: type[BaseModel]) -> None:
    """Say what the settings of a group mean."""
    for name, text in documentation(model).items():
        group["properties"][name]["description"] = text


def set_defaults(properties: dict[str, Any], section: type[BaseModel], key: Key) -> None:
    """Give each value its default; a group has none, its settings have."""
    values = defaults()
    for part in key:
        values = values[str(part)]
    for name, field in section.model_fields.items():
        properties[name].pop("default", None)
        if not is_group(field):
            properties[name]["default"] = values[name]


def switch(group: dict[str, Any]) -> dict[str, Any]:
    """A group for which `true` or `false` may stand."""
    text = {"title": group["title"], "description": group["description"]}
    return {**text, "anyOf": [{"type": "boolean"}, group]}


def reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/$defs/{model.__name__}"}
