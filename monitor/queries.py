"""The queries of a configuration, judged by the parser that will read them."""

from __future__ import annotations

import re

from monitor.promql import QueryError, parse

KNOWN = re.compile(r"\$__rate_interval|\$\{__rate_interval\}")


def judge(text: str) -> str | None:
    """What is wrong with the query of a board, with line and column in it; None where nothing is."""
    try:
        # A duration of the same length, so that positions stay.
        parse(KNOWN.sub(lambda match: "5s".rjust(len(match[0]), "0"), text))
    except QueryError as error:
        return f"{place(text, error.position)}{error.message}"
    return None


def place(text: str, position: int | None) -> str:
    """Where in the query, for people; empty where that is not known."""
    if position is None:
        return ""
    before = text[:position]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return f"line {line}, character {column}: " if "\n" in text.strip() else f"character {column}: "
