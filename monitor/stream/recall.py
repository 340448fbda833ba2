"""Columns of a feed worked out beside the event loop: nothing here touches the feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from monitor.formats.live import Past, QuerySeries
from monitor.model import Columns, Floats
from monitor.promql import Limits, Moment, Query, QueryError, depth_of
from monitor.storage import Storage
from monitor.stream.frames import Tail
from monitor.stream.runs import Run, count, newest, runs

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
    """Whether too many are refused, as somebody asked for them; else the newest are told, and none of a time
    in which nothing was measured."""


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
    complete = first <= wanted.after + 1
    asked = [(first, wanted.n)]
    if not wanted.refuse and first <= wanted.n:
        asked = runs(storage, depth_of(wanted.queries), first, wanted.n, wanted.step)
    columns = count(asked)
    if columns > COLUMNS and wanted.refuse:
        raise TooLargeError(f"{columns:,} columns are more than {COLUMNS:,}; {SMALLER}")
    asked = newest(asked, COLUMNS)
    answers = [answers_of(wanted._replace(after=run[0] - 1, n=run[1]), storage) for run in asked]
    numbers = np.concatenate([np.arange(first, last + 1) for first, last in asked])
    series, values = arranged(wanted, answers, asked)
    values = bounded(wanted, values)
    numbers = numbers[len(numbers) - values.shape[1] :]
    begins = int(numbers[0]) if len(numbers) else wanted.n + 1
    complete = complete and len(numbers) == columns
    past = Past(
        feed=wanted.feed,
        n=wanted.n,
        series=series,
        timestamps=numbers * wanted.step,
        values=values,
        complete=complete,
        oldest=None if complete or oldest is None else begins * wanted.step,
    )
    faults = {
        query: str(one) for found in answers for query, one in enumerate(found) if isinstance(one, QueryError)
    }
    return Told(Tail(past.tail()), wanted.n, series, faults)


def answers_of(wanted: Wanted, storage: Storage) -> list[Answer]:
    """What each query has for the columns."""
    if wanted.after >= wanted.n:
        return []
    moment = Moment(storage, wanted.limits)
    grid = (wanted.after + 1) * wanted.step, wanted.n * wanted.step, wanted.step
    return [moment.ask(query, *grid) for query in wanted.queries]


def arranged(
    wanted: Wanted, answers: Sequence[Sequence[Answer]], asked: list[Run]
) -> tuple[QuerySeries, Floats]:
    """The series of the feed, and behind them those that only the past has, with their values in all runs of
    columns."""
    places = {each: place for place, each in enumerate(wanted.series)}
    parts: list[tuple[list[int], slice, Floats]] = []
    begin = 0
    for found, run in zip(answers, asked, strict=True):
        columns = slice(begin, begin + count([run]))
        begin = columns.stop
        for query, answer in enumerate(found):
            if not isinstance(answer, QueryError):
                rows = [places.setdefault((query, labels), len(places)) for labels in answer.series]
                parts.append((rows, columns, answer.values))
    values = np.full((len(places), begin), np.nan)
    for rows, columns, part in parts:
        values[rows, columns] = part
    return tuple(places), values


def bounded(wanted: Wanted, values: Floats) -> Floats:
    """As many of the newest columns as one message may hold."""
    if values.size <= VALUES:
        return values
    if wanted.refuse:
        raise TooLargeError(f"{values.size:,} values are more than {VALUES:,}; {SMALLER}")
    return values[:, -(VALUES // len(values)) :]
