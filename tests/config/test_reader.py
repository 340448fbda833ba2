"""YAML as plain data with places; whatever the text, it is read or it has problems."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.reader import read

TEXT = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=9)
PLAIN = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(-1e20, 1e20) | TEXT
DATA = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=9
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("on", "on"), ("Yes", "Yes"), ("12:30:00", "12:30:00"), ("2026-01-01", "2026-01-01"),
     ("010", 10), ("0x10", "0x10"), ("1_000", "1_000"), ("true", True), ("False", False), ("~", None),
     ("null", None), ("-5", -5), ("1e3", 1000.0), (".5", 0.5), (".inf", ".inf"), ("'5'", "5"),
     ('"true"', "true"), ("", None), ("1e999", "1e999")],
)  # fmt: skip
def test_plain_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    data = read(f"key: {text}", "f").data["key"]
    assert data == value
    assert type(data) is type(value)


def test_every_value_has_its_place() -> None:
    places = read("a:\n  - b: 1\n  - [x, 'y']\n", "f").places
    assert str(places[("a",)].key) == "f:1:1"
    assert str(places[("a", 0, "b")].key) == "f:2:5"
    assert str(places[("a", 0, "b")].value) == "f:2:8"
    assert str(places[("a", 1, 1)].value) == "f:3:9"


def test_the_first_of_two_equal_keys_counts() -> None:
    document = read("a: 1\nb: 2\na: 3\n", "f")
    assert document.data == {"a": 1, "b": 2}
    assert list(map(str, document.problems)) == ["f:3:1: a: found twice, expected once; first on line 1"]


def test_an_alias_is_the_value_that_it_names() -> None:
    document = read("a: &x {b: 1}\nc: *x\n", "f")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert not document.problems


@given(DATA)
def test_json_is_yaml(data: Any) -> None:
    document = read(json.dumps(data, ensure_ascii=False), "f")
    assert not document.problems
    assert document.data == data


@given(st.text() | st.text("[]{}:,-&*!|>'\"#% \n\tab0", max_size=40))
def test_any_text_is_read_or_has_a_problem_with_a_place(text: str) -> None:
    document = read(text, "f")
    assert all(problem.place.line > 0 and problem.place.column > 0 for problem in document.problems)
    assert document.problems or document.places


def test_half_a_character_is_refused_with_its_place() -> None:
    document = read('a: 1\nb: ["x", "y\\ud800z"]\n', "c.yaml")
    (problem,) = document.problems
    assert str(problem) == "c.yaml:2:10: found half a character (U+D800), expected whole ones"
