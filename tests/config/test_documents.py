"""config.yaml, its schema and its documentation say what the models say.

`MONITOR_GOLDEN=write` writes them anew.
"""

import inspect
import itertools
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from monitor.collect import COLLECTORS
from monitor.config import Board, Settings, fields, load
from monitor.config.example import example
from monitor.config.problems import dotted
from monitor.config.reference import reference
from monitor.config.schema import schema, schema_text
from monitor.config.section import Switch, Takes

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    "config.yaml": example,
    "config.schema.json": schema_text,
    "docs/configuration.md": reference,
}
MODELS = [*dict.fromkeys(fields.models(Settings))]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_file_in_the_repository_is_the_one_that_the_models_write(name: str) -> None:
    if os.environ.get("MONITOR_GOLDEN") == "write":
        (ROOT / name).write_text(DOCUMENTS[name]())
    assert (ROOT / name).read_text() == DOCUMENTS[name]()


def test_config_yaml_gives_every_setting_its_default() -> None:
    settings, sources, _ = load(ROOT / "config.yaml", {}, {})
    assert settings == Settings()
    assert [path for path, place in sources.items() if place.line == 0] == []


def test_every_setting_of_config_yaml_stands_under_a_comment() -> None:
    lines = (ROOT / "config.yaml").read_text().splitlines()
    bare = [
        line
        for before, line in itertools.pairwise(lines)
        if re.match(r" *\w+:", line) and not before.lstrip().startswith("# ")
    ]
    assert bare == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_group_and_every_value_is_documented(model: type[BaseModel]) -> None:
    texts = fields.documentation(model)
    undocumented = [
        name
        for name, field in model.model_fields.items()
        if not fields.is_group(field) and not texts.get(name)
    ]
    assert undocumented == []
    assert model.__doc__


def test_the_documentation_names_every_setting() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    for setting in fields.settings(Settings):
        *_, group, name = ("", *setting.key)
        assert f"| `{name}` |" in text or f"| `{group}` |" in text
    assert all(f"### {model.__name__}\n" in text for model in fields.models(Board))


def properties(described: dict[str, Any], group: str) -> dict[str, Any]:
    found = described["$defs"][group]
    switchable: dict[str, Any] = next(
        (each for each in found.get("anyOf", ()) if "properties" in each), found
    )
    return dict(switchable["properties"])


def test_the_schema_explains_every_value_and_accepts_every_default() -> None:
    described = schema()
    for section in {section for _, section in fields.sections(Settings)} - {Settings}:
        for name, value in properties(described, section.__name__).items():
            if "$ref" not in value:
                assert value["description"]
                assert re.search(value.get("pattern", ""), str(value["default"]))
                assert value["default"] in value.get("enum", [value["default"]])
                assert name in section.model_fields


def test_the_schema_knows_how_durations_and_sizes_are_written_and_where_numbers_end() -> None:
    websocket = properties(schema(), "WebSocket")
    assert re.fullmatch(websocket["ping_interval"]["pattern"], "500ms")
    assert not re.fullmatch(websocket["ping_interval"]["pattern"], "10")
    assert re.fullmatch(websocket["max_message"]["pattern"], "64KiB")
    assert (websocket["max_clients"]["minimum"], websocket["max_clients"]["maximum"]) == (1, 100_000)


def test_the_schema_takes_a_switch_and_a_board_in_each_of_their_forms() -> None:
    described = schema()
    assert [each["type"] for each in described["$defs"]["Switch"]["anyOf"]] == ["boolean", "object"]
    assert described["properties"]["boards"]["items"]["anyOf"][0] == {"type": "string"}
    assert described["properties"]["boards"]["default"] == ["overview", "found"]


def test_editors_find_the_schema_beside_the_file() -> None:
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=./config.schema.json"
    assert (ROOT / "config.schema.json").exists()


def test_each_collector_has_a_switch_with_its_own_options_and_defaults() -> None:
    switches = Settings().collect.collectors
    assert set(type(switches).model_fields) == set(COLLECTORS)
    for name, collector in COLLECTORS.items():
        switch: Switch = getattr(switches, name)
        options = switch.model_dump(exclude={"enabled"})
        parameters = inspect.signature(collector.kind).parameters
        assert options == {option: parameters[option].default for option in options}
        assert type(switch).__name__ not in ("Switch", "Off") or fields.documentation(type(switches))[name]


@pytest.mark.parametrize("setting", [*fields.settings(Settings)], ids=lambda setting: dotted(setting.key))
def test_every_setting_says_once_what_brings_a_change_of_it_into_effect(setting: fields.Setting) -> None:
    said = [each for each in setting.field.metadata if isinstance(each, Takes)]
    assert said == [setting.takes]


def test_settings_that_sound_like_secrets_are_shown_to_nobody() -> None:
    sounding = re.compile(r"(password|secret|token|credential|private|hash)(?!.*(_file|path))")
    told = [
        name
        for model in fields.models(Settings)
        for name, field in model.model_fields.items()
        if sounding.search(name) and not fields.is_secret(field) and field.annotation in (str, str | None)
    ]
    assert told == []
