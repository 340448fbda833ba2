"""What settings say, and where two of them differ; what is secret is compared and not shown."""

from typing import Annotated

import pytest
from pydantic import BaseModel, SecretStr

from monitor.config import Settings, load
from monitor.config.change import Change
from monitor.config.facts import HIDDEN, changes, digest, facts, pairs
from monitor.config.fields import Setting, own_settings
from monitor.config.section import Secret, Section, Takes


def differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return [
        str(change)
        for change in changes(facts(load(None, {}, old).settings), facts(load(None, {}, new).settings))
    ]


def test_equal_settings_do_not_differ() -> None:
    assert differences({"log.level": "info"}, {}) == []


def test_each_change_says_what_was_what_is_and_what_it_takes() -> None:
    old = {"server.listen": "127.0.0.1:1", "collect.collectors.cpu": "false"}
    assert differences(old, {"server.websocket.ping_interval": "20s"}) == [
        "server.listen: 127.0.0.1:1 -> 127.0.0.1:8844 (needs a restart)",
        "server.websocket.ping_interval: 10s -> 20s (reload)",
        "collect.collectors.cpu.enabled: false -> true (reload)",
    ]


BOARD = "{name: %s, title: %s, panels: [{title: Load, queries: [{query: node_load1}]}]}"


def test_boards_differ_one_by_one() -> None:
    old = {"boards": f"[overview, {BOARD % ('a', 'A')}, {BOARD % ('b', 'B')}]"}
    new = {"boards": f"[overview, {BOARD % ('b', 'C')}, {BOARD % ('d', 'D')}]"}
    assert differences(old, new) == [
        "boards: [overview, a, b] -> [overview, b, d] (reload)",
        "boards[b]: changed (reload)",
        "boards[d]: added (reload)",
        "boards[a]: removed (reload)",
    ]


class Door(Section):
    key: Annotated[SecretStr, Takes.RELOAD]
    """A secret by its type."""
    code: Annotated[str, Secret, Takes.RELOAD] = "0000"
    """A secret by its mark."""


def door(**values: str) -> dict[str, tuple[str, str]]:
    made = Door.model_validate(values)
    return {
        path: (fact.text, fact.mark)
        for setting in own_settings(Door, ())
        for path, fact in pairs(made, setting, b"salt")
    }


@pytest.mark.parametrize("name", ["key", "code"])
def test_a_secret_is_compared_and_not_shown(name: str) -> None:
    first, same, other = (door(**{"key": "k", name: text}) for text in ("one", "one", "two"))
    assert first[name][0] == HIDDEN
    assert first == same
    assert first[name][1] != other[name][1]
    assert "one" not in str(first)


def test_marks_of_secrets_mean_nothing_to_who_does_not_have_the_key() -> None:
    assert digest("secret", b"a") != digest("secret", b"b")


def test_an_entry_of_a_list_is_known_by_all_that_it_holds() -> None:
    class User(BaseModel):
        name: str
        key: SecretStr

    assert digest(User(name="a", key=SecretStr("x")), b"") != digest(User(name="a", key=SecretStr("y")), b"")


def test_every_setting_is_a_fact() -> None:
    told = facts(Settings())
    assert told["server.listen"].text == "127.0.0.1:8844"
    assert told["storage.path"].text == "''"
    assert set(load(None, {}, {}).sources) <= set(told)


def test_a_change_in_a_secret_says_that_it_changed() -> None:
    a, b = (pairs(Door(key=SecretStr(text)), next(own_settings(Door, ())), b"") for text in "ab")
    change = Change("key", next(a)[1], next(b)[1], Takes.RELOAD)
    assert str(change) == "key: changed (reload)"


def test_a_setting_knows_what_it_takes() -> None:
    assert [Setting(each.key, each.field, "").takes for each in own_settings(Door, ())] == [Takes.RELOAD] * 2
