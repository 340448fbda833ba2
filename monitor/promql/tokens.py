"""The words of a query with their positions, which the parser's tree and messages do not tell.

Strings are taken out before parsing: their escapes, and the patterns among them, are read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitor.promql.errors import QueryError

MOST_CHARACTERS = 8192
MOST_TOKENS = 400
"""The parser takes time quadratic in the depth of an expression, and crashes at depths of some thousands."""

LONGEST = 1e15
"""Seconds that the parser can hold."""

TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
      | (?P<number>(?:\d|\.\d)(?:[eE][+-]\d|[\w.])*)
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<mark>=~|!~|==|!=|>=|<=|[-+*/%^=<>(){}\[\],@:])""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.?)", re.DOTALL)
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
CLOSING = {"(": ")", "{": "}", "[": "]"}
LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})


class Token(NamedTuple):
    """One word: its kind (string, number, name, mark), its text, and its place in the query."""

    kind: str
    text: str
    position: int

    @property
    def end(self) -> int:
        return self.position + len(self.text)


def scan(text: str) -> list[Token]:
    """All words of a query.  Raises QueryError for what is no word, and for brackets that do not pair."""
    if len(text) > MOST_CHARACTERS:
        raise QueryError(f"query of {len(text)} characters, at most {MOST_CHARACTERS} are accepted", 0)
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            what = "unterminated string" if text[place] in "\"'`" else f"unexpected character {text[place]!r}"
            raise QueryError(what, place)
        if match.lastgroup and match.lastgroup != "space":
            if len(found) == MOST_TOKENS:
                raise QueryError(f"query of more than {MOST_TOKENS} words", place)
            found.append(Token(match.lastgroup, match[0], place))
        place = match.end()
    check_brackets(found)
    check_durations(found)
    return found


def check_brackets(tokens: Sequence[Token]) -> None:
    waiting: list[Token] = []
    for token in tokens:
        if token.text in CLOSING:
            waiting.append(token)
        elif token.text in CLOSING.values() and (not waiting or CLOSING[waiting.pop().text] != token.text):
            raise QueryError(f"unexpected {token.text!r}", token.position)
    if waiting:
        raise QueryError(f"unclosed {waiting[-1].text!r}", waiting[-1].position)


def check_durations(tokens: Sequence[Token]) -> None:
    """Refuse what makes the parser panic: a duration that is no time, as `offset NaN`."""
    expected = in_window = False
    for token in tokens:
        in_window = token.text == "[" or (in_window and token.text != "]")
        if in_window and token.text.startswith(":"):
            raise QueryError("subqueries are not supported", token.position)
        if token.text.lower() in ("[", "offset"):
            expected = True
        elif not expected or token.text not in ("+", "-"):
            if expected and not seconds(token.text) < LONGEST:
                raise QueryError("time or duration out of range", token.position)
            expected = False


def seconds(text: str) -> float:
    """A number as seconds; 0 for a duration with units, which the parser checks itself."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def unquote(token: Token) -> str:
    """The value of a string, by Go's rules as Prometheus has it; between backticks nothing is escaped."""
    body = token.text[1:-1]
    if token.text[0] == "`":
        return body

    def replaced(match: re.Match[str]) -> str:
        escape = match[1]
        if escape in LETTERS:
            return LETTERS[escape]
        if escape in ("\\", "'", '"'):
            return escape
        if len(escape) < 2:
            raise QueryError(f"unknown escape sequence {match[0]}", token.position + 1 + match.start())
        code = int(escape, 8) if escape[0] in "01234567" else int(escape[1:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise QueryError(f"no character {match[0]}", token.position + 1 + match.start())
        return chr(code)

    return ESCAPE.sub(replaced, body)


def outline(tokens: Sequence[Token]) -> list[Token]:
    """The words without label lists, matchers and windows: what is left stands in the tree's order."""
    found: list[Token] = []
    depth = 0
    in_list = False
    for place, token in enumerate(tokens):
        if token.text in "[{" or (token.text == "(" and place and tokens[place - 1].text in LISTS):
            depth += 1
            in_list = in_list or token.text == "("
        if depth == 0 or (depth == 1 and token.text == "{"):
            found.append(token)
        if depth and (token.text in "]}" or (token.text == ")" and in_list)):
            depth -= 1
            in_list = False
    return found
