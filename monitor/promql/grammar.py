"""promql-parser, which knows the grammar: loaded by the first query, as an unwatched host has none."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def grammar() -> Any:
    """The library, in milliseconds and some 3 MiB."""
    import promql_parser

    return promql_parser
