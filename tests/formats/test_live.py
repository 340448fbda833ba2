"""The live messages against their golden examples, which vitest decodes too (tests/wire)."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.formats import live
from monitor.formats.live import Ack, MessageError, Past, Subscribe, Unsubscribe, View, Visible, decode

GOLDEN = Path(__file__).parent.parent / "wire"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def past(name: str) -> Past:
    message = golden(name)
    return Past(
        feed=message["feed"],
        n=message["n"],
        series=[(entry["query"], tuple(sorted(entry["labels"].items()))) for entry in message["series"]],
        timestamps=np.array(message["columns"]["t"], np.int64),
        values=np.array(message["columns"]["v"], np.float64),
        complete=message["complete"],
        oldest=message["oldest"],
    )


def without_type(name: str) -> dict[str, Any]:
    return {key: value for key, value in golden(name).items() if key != "type"}


def welcome(session: str, time: int, **service: Any) -> bytes:
    return live.welcome(session, time) + live.service(**service)


def notice(name: str) -> bytes:
    message = golden(name)
    return live.notice(message["code"], message["message"], **message["details"])


SERVER_MESSAGES = {
    "welcome": lambda: welcome(**without_type("welcome")),
    "subscribed": lambda: live.subscribed(request=1, step=1000) + past("subscribed").tail(),
    "columns": lambda: live.COLUMNS + past("columns").tail(),
    "tick": lambda: live.tick(3, 1764000001, 1764000001000, np.array([0.5])),
    "series": lambda: live.series(3, 1764000002, [(0, (("mode", "user"),)), (0, (("mode", "idle"),))]),
    "table": lambda: live.table(**without_type("table")),
    "table_processes": lambda: live.table(
        **without_type("table_processes") | {"view": View(**golden("table_processes")["view"])}
    ),
    "beat": lambda: live.beat(1764000003123),
    "notice": lambda: live.notice("slowed", golden("notice")["message"], skipped=4),
    "notice_configuration": lambda: notice("notice_configuration"),
    "notice_history": lambda: notice("notice_history"),
    "notice_limits": lambda: notice("notice_limits"),
    "error": lambda: live.error(2, "bad_query", "unknown function: rat", position=0, query=0),
}
CLIENT_MESSAGES = {
    "subscribe": Subscribe(1, ("node_load1",), range=300000, step=1000),
    "subscribe_board": Subscribe(2, board="overview", range=300000),
    "subscribe_until": Subscribe(3, board="overview", range=2592000000, step=3600000, until=1764000000000),
    "subscribe_table": Subscribe(0, table="viewers"),
    "subscribe_processes": Subscribe(0, table="processes", view=View("memory", True, "nginx", 100)),
    "unsubscribe": Unsubscribe(3),
    "ack": Ack(3, 1764000001, 42),
    "visible": Visible(False),
}


def test_every_golden_message_is_one_of_ours() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*SERVER_MESSAGES, *CLIENT_MESSAGES}


@pytest.mark.parametrize("name", SERVER_MESSAGES)
def test_server_messages_are_encoded_as_golden(name: str) -> None:
    assert json.loads(SERVER_MESSAGES[name]()) == golden(name)


@pytest.mark.parametrize("name", CLIENT_MESSAGES)
def test_client_messages_are_decoded_as_golden(name: str) -> None:
    assert decode(json.dumps(golden(name))) == CLIENT_MESSAGES[name]


@given(st.lists(st.floats(width=64)))
def test_numbers_survive_and_what_is_not_finite_is_null(values: list[float]) -> None:
    decoded = json.loads(live.tick(1, 1, 1, np.array(values, np.float64)))["v"]
    assert decoded == [value if np.isfinite(value) else None for value in values]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "expected an object, found []"),
        ("{}", "type: expected one of subscribe, unsubscribe, ack, visible, found null"),
        ('{"type": "subscrib"}', 'found "subscrib"'),
        ('{"type": []}', "found []"),
        ('{"type": "subscribe", "queries": ["up"]}', "request: expected a whole number from 0, found null"),
        ('{"type": "subscribe", "request": true, "queries": ["up"]}', "found true"),
        ('{"type": "subscribe", "request": 1}', "expected one of queries, board and table"),
        ('{"type": "subscribe", "request": 1, "queries": ["up"], "board": "overview"}', "one of queries,"),
        ('{"type": "subscribe", "request": 1, "board": "b", "table": "viewers"}', "one of queries,"),
        ('{"type": "subscribe", "request": 1, "table": "viewers", "range": 1}', "it has no past and no step"),
        ('{"type": "subscribe", "request": 1, "board": "b", "sort": "cpu"}', "are for tables alone"),
        ('{"type": "subscribe", "request": 1, "table": "t", "limit": 1001}', "whole number from 1 to 1000"),
        ('{"type": "subscribe", "request": 1, "table": "t", "filter": 1}', "at most 100 characters, found 1"),
        ('{"type": "subscribe", "request": 1, "queries": [1]}', "queries: expected a list of strings"),
        ('{"type": "subscribe", "request": 1, "board": 7}', "board: expected a string, found 7"),
        ('{"type": "subscribe", "request": 1, "board": "b", "variables": {"a": 1}}', "variables: expected"),
        ('{"type": "subscribe", "request": 1, "board": "b", "range": 1.5}', "range: expected a whole number"),
        ('{"type": "subscribe", "request": 1, "board": "b", "range": 1e999}', "found Infinity"),
        ('{"type": "subscribe", "request": 1, "board": "b", "range": NaN}', "NaN is not a JSON number"),
        ('{"type": "subscribe", "request": 1, "board": "b", "rang": 1}', "rang: not a field of subscribe"),
        ('{"type": "ack", "feed": 1, "n": 2, "lag": -1}', "lag: expected milliseconds, found -1"),
        ('{"type": "visible", "visible": 1}', "visible: expected true or false, found 1"),
        ('{"type": "unsubscribe", "feed": 9007199254740993}', "feed: expected a whole number"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_message_is_told_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(MessageError) as caught:
        decode(text)
    assert said in str(caught.value)


def test_an_error_names_the_request_it_belongs_to() -> None:
    with pytest.raises(MessageError) as caught:
        decode('{"type": "subscribe", "request": 9}')
    assert caught.value.request == 9


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "type",
        "request",
        "queries",
        "board",
        "table",
        "variables",
        "range",
        "step",
        "after",
        "feed",
        "n",
        "lag",
        "visible",
    ]
)
types = st.sampled_from(["subscribe", "unsubscribe", "ack", "visible"])


@settings(max_examples=500)
@given(st.dictionaries(names, json_values) | json_values, types | st.none())
def test_any_json_is_accepted_or_refused(value: Any, type_: str | None) -> None:
    if isinstance(value, dict) and type_ is not None:
        value["type"] = type_
    with suppress(MessageError):
        assert isinstance(decode(json.dumps(value)), Subscribe | Unsubscribe | Ack | Visible)


@given(st.text())
def test_any_text_is_accepted_or_refused(text: str) -> None:
    with pytest.raises(MessageError):
        decode("x" + text)
