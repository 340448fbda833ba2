"""Where a query that does not parse stops making sense."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.promql.errors import QueryError
from monitor.promql.grammar import grammar
from monitor.promql.tokens import CLOSING, Token

MESSAGES = ("invalid promql query", "unexpected ", "unclosed ", "bad number")
"""How the parser's messages about grammar begin; its other messages are about meaning."""
FILLINGS = ("", "x", "(x)", '="x"', '"x"', "1m", ":1m", "l", "(l)", "(l) x", "1", "()")
ENDINGS = ("", " (x)", " x")


def locate(words: Sequence[Token]) -> QueryError:
    """The error at the first word after which no continuation is known to parse."""
    good, bad = 0, len(words)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if viable(words[:middle]) else (good, middle)
    if viable(words):
        return QueryError("unexpected end of input", words[-1].end)
    return QueryError(f"unexpected {words[bad - 1].text}", words[bad - 1].position)


def viable(words: Sequence[Token]) -> bool:
    """Whether some continuation of these words parses."""
    text = " ".join('"x"' if word.kind == "string" else word.text for word in words)
    closing = "".join(reversed([CLOSING[word.text] for word in unclosed(words)]))
    return any(parses(f"{text} {filling}{closing}{ending}") for filling in FILLINGS for ending in ENDINGS)


def unclosed(words: Sequence[Token]) -> list[Token]:
    waiting: list[Token] = []
    for word in words:
        if word.text in CLOSING:
            waiting.append(word)
        elif word.kind == "mark" and word.text in CLOSING.values():
            waiting.pop()
    return waiting


def is_grammar(message: str) -> bool:
    """Whether a message of the parser is about grammar."""
    return message.startswith(MESSAGES)


def parses(text: str) -> bool:
    try:
        grammar().parse(text)
    except ValueError as error:
        return not is_grammar(str(error))
    return True
