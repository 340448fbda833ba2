"""Queries have one normal form, and what is wrong with one is said with its place."""

from __future__ import annotations

from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.promql import QueryError, parse


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  up\n", "up"),
        ("((up))", "up"),
        ("SUM(up) BY (b,a)", "sum by (a, b) (up)"),
        ("sum without(a)(up)", "sum without (a) (up)"),
        ("up{b='x',a!=\"y\"}", 'up{a!="y", b="x"}'),
        ("{__name__='up'}", "up"),
        ("{__name__='a b'}", '{__name__="a b"}'),
        ("rate(x[300s] offset 90m)", "rate(x[5m] offset 1h30m)"),
        ("x offset -1500ms", "x offset -1s500ms"),
        ("x @ 12.5", "x @ 12.5"),
        ("x offset 1m @ -5", "x @ -5 offset 1m"),
        ("rate(x{a='@ 7'}[1m] @ 0x10) + y @ +2", 'rate(x{a="@ 7"}[1m] @ 16) + y @ 2'),
        ("a # 'b' + {", "a"),
        ("a @ 5m", "a @ 300"),
        ("a[90] offset -0x10", "a[1m30s] offset -16s"),
        ("a+b*c", "a + (b * c)"),
        ("a+ignoring()b", "a + b"),
        ("a+on()b", "a + on () b"),
        ("a/on(x)group_left(z,y)b", "a / on (x) group_left (y, z) b"),
        ("-a^2", "-(a ^ 2)"),
        ("(-1)^2", "(-1) ^ 2"),
        ("1e3 + .5 + 0x10 + Inf", "((1000 + 0.5) + 16) + Inf"),
        ("a > bool 1 # why", "a > bool 1"),
        ("topk(3, a)", "topk(3, a)"),
        ("x{a=`\\d`}", 'x{a="\\\\d"}'),
        (r"x{a='\"\x41\101\u00e9\n'}", 'x{a="\\"AA\u00e9\\n"}'),
        ("'\u00a70'", '"\u00a70"'),
    ],
)
def test_a_query_is_shown_in_its_normal_form(text: str, normal: str) -> None:
    query = parse(text)
    assert query.text == str(query) == normal
    assert parse(normal) == query
    assert hash(parse(normal)) == hash(query)


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "no expression found in input", 0),
        ("sum(foo(x))", "unknown function with name 'foo'", 4),
        ("1 + label_replace(a, 'b', 'c', 'd', 'e')", "function label_replace is not supported", 4),
        ("rate(a[5m]) + absent(rate)", "function absent is not supported", 14),
        ("sum by (stddev) (stddev(stddev))", "aggregation stddev is not supported", 17),
        ("a{b='-'} atan2 b", "operator atan2 is not supported", 9),
        ("max_over_time(rate(x[1m])[5m:1m])", "subqueries are not supported", 28),
        ("x[5m:1e300]", "subqueries are not supported", 4),
        ("1 + x offset - NaN", "time or duration out of range", 15),
        ("1 + x OFFSET 1e300", "time or duration out of range", 13),
        ("rate(x[1e300])", "time or duration out of range", 7),
        ("1 + x @ end()", "@ end() is not supported", 6),
        ("1 + x @ 1e300", "time or duration out of range", 6),
        ("x @ Inf", "timestamp out of bounds for @ modifier: inf", 0),
        ("1 + x offset 999999999y", "time or duration out of range", 4),
        ("rate(x[3000000y])", "time or duration out of range", 5),
        ("rate(x[5m5])", "bad number or duration syntax: 5m5]", 7),
        ("x{a='b' or c='d'}", "alternatives (or) between matchers are not supported", 0),
        ("1 + rate(x)", "expected type matrix in call to function 'rate', got vector", 4),
        ("a and 1", "set operator 'and' not allowed in binary scalar expression", 2),
        ("rate(x[5q])", "bad number or duration syntax: 5q", 7),
        ("sum(x", "unclosed '('", 3),
        ("sum(x))", "unexpected ')'", 6),
        ("sum(x]", "unexpected ']'", 5),
        ("a + * b", "unexpected *", 4),
        ("a b", "unexpected b", 2),
        ("sum by (x) y (z)", "unexpected y", 11),
        ("a{b='x' c='y'}", "unexpected c", 8),
        ("1 +", "unexpected end of input", 3),
        ("a == bool", "unexpected end of input", 9),
        ("a offset", "unexpected end of input", 8),
        ("rate(x[5m]) + $y", "unexpected character '$'", 14),
        ("a{b='x}", "unterminated string", 4),
        ("a{b='\\q'}", "unknown escape sequence \\q", 5),
        ("a{b='\\ud800'}", "no character \\ud800", 5),
        ("{}", "vector selector must contain at least one non-empty matcher", 0),
        ("1 + {a=~'.*'}", "vector selector must contain at least one non-empty matcher", 4),
        ("a{x='y', b=~'('}", "invalid pattern '(' for label b: missing ): (", 12),
        ("a{b=~'(?=x)'}", "invalid pattern '(?=x)' for label b: invalid perl operator: (?=", 5),
        ("x{a='\ud800'}", "half a character, which is no text", 5),
        ("x{__name__='y'}", "metric name must not be set twice: 'x' or 'y'", 0),
        ("x" * 9000, "query of 9000 characters, at most 8192 are accepted", 0),
        ("1" + "+1" * 250, "query of more than 400 words", 400),
        ("1" + "+1" * 99, "expression nested deeper than 60 levels", 0),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str, position: int) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.position) == (message, position)


@pytest.mark.parametrize(
    "text",
    [
        "x{a=~'(x+x+)+y'}",
        "x{a=~'(.*a){50}'}",
        "(" * 150 + "x" + ")" * 150,
        "-" * 399 + "x",
        "abs(" * 99 + "x" + ")" * 99,
        "1" + "+1" * 199,
        "x{a=~'" + "\\\\w{50}" * 1000 + "'}",
        "x" + "{" * 200 + "}" * 200,
        "a " * 200,
    ],
)
def test_a_hostile_query_is_judged_soon(text: str) -> None:
    begun = process_time()
    with suppress(QueryError):
        parse(text)
    assert process_time() - begun < 2


def fault(text: str) -> QueryError | None:
    """What is wrong with a query; None where its normal form means the same."""
    try:
        query = parse(text)
    except QueryError as error:
        return error
    assert parse(query.text) == query
    return None


PIECES = [
    *(
        "a",
        "b",
        "sum",
        "rate",
        "by",
        "on",
        "group_left",
        "and",
        "bool",
        "offset",
        "@",
        "5m",
        "1",
        "'x'",
        '"y',
    ),
    *("(", ")", "{", "}", "[", "]", ",", "+", "-", "*", "=", "==", "=~", "!=", "$", "#", "\u00e9", "\n"),
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)))
def test_any_text_is_a_query_or_an_error_with_a_place_in_it(text: str) -> None:
    error = fault(text)
    if error is not None:
        assert error.message
        assert error.position is not None
        assert 0 <= error.position <= len(text)


def test_zeros_of_either_sign_are_two_numbers() -> None:
    assert parse("1 / -0").text == "1 / (-0)"
    assert parse("1 / -0") != parse("1 / 0")
