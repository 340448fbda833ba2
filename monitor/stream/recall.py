"""Columns of a feed worked out beside the event loop: nothing here touches the feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monitor.formats.live import Past, QuerySeries
from monitor.model import Columns, Floats
from monitor.promql import Limits, Moment, Query, QueryError
from monitor.storage import Storage
from monitor.stream.frames import Tail

COLUMNS = 11_000
"""Columns of one answer, as of a range query."""
VALUES = 250_000
"""Values of one answer: a page shows some hundred columns of some hundred series."""

SMALLER = "ask for a longer step or a shorter range"

Answer = Columns | QueryError


class TooLargeError(QueryError):
    """More of the past is asked for than one message may hold."""


class Wanted(NamedTuple):
    """Which columns, after + 1 to n, of what."""

    feed: int
    queries: tuple[Query, ...]
    step: int
    series: tuple[tuple[int, tuple[tuple[str, str], ...]], ...]
    """Those of the feed, which come first."""
    after: int
    n: int
    limits: Limits
    refuse: bool
    """Whether too many are refused; else the newest are told."""


class Told(NamedTuple):
    tail: Tail
    n: int
    series: QuerySeries
    faults: dict[int, str]
    """Message by query, for those that cannot be evaluated."""


def tell(wanted: Wanted, storage: Storage) -> Told:
    """What `Feed.past` says, of all that is stored.  Raises TooLargeError."""
    oldest = storage.oldest()
    held = wanted.n + 1 if oldest is None else -(-oldest // wanted.step)
    first = min(max(wanted.after + 1, held), wanted.n + 1)
    if first < wanted.n + 1 - COLUMNS:
        if wanted.refuse:
            raise TooLargeError(f"{wanted.n + 1 - first:,} columns are more than {COLUMNS:,}; {SMALLER}")
        first = wanted.n + 1 - COLUMNS
    answers = answers_of(wanted._replace(after=first - 1), storage)
    series, values = arranged(wanted, answers, wanted.n + 1 - first)
    values = bounded(wanted, values)
    first = wanted.n + 1 - values.shape[1]
    complete = first <= wanted.after + 1
    past = Past(
        feed=wanted.feed,
        n=wanted.n,
        series=series,
        timestamps=np.arange(first, wanted.n + 1, dtype=np.int64) * wanted.step,
        values=values,
        complete=complete,
        oldest=None if complete or oldest is None else first * wanted.step,
    )
    faults = {query: str(one) for query, one in enumerate(answers) if isinstance(one, QueryError)}
    return Told(Tail(past.tail()), wanted.n, series, faults)


def answers_of(wanted: Wanted, storage: Storage) -> list[Answer]:
    """What each query has for the columns."""
    if wanted.after >= wanted.n:
        return []
    moment = Moment(storage, wanted.limits)
    grid = (wanted.after + 1) * wanted.step, wanted.n * wanted.step, wanted.step
    return [moment.ask(query, *grid) for query in wanted.queries]


def arranged(wanted: Wanted, answers: Sequence[Answer], columns: int) -> tuple[QuerySeries, Floats]:
    """The series of the feed, and behind them those that only the past has, with their values."""
    places = {each: place for place, each in enumerate(wanted.series)}
    parts: list[tuple[list[int], Floats]] = []
    for query, answer in enumerate(answers):
        if not isinstance(answer, QueryError):
            rows = [places.setdefault((query, labels), len(places)) for labels in answer.series]
            parts.append((rows, answer.values))
    values = np.full((len(places), columns), np.nan)
    for rows, part in parts:
        values[rows] = part
    return tuple(places), values


def bounded(wanted: Wanted, values: Floats) -> Floats:
    """As many of the newest columns as one message may hold."""
    if values.size <= VALUES:
        return values
    if wanted.refuse:
        raise TooLargeError(f"{values.size:,} values are more than {VALUES:,}; {SMALLER}")
    return values[:, -(VALUES // len(values)) :]
