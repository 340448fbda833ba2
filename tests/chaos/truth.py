"""What is right: the answers of `GET /api/v1/query_range` over the grid of the columns; and who differs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient

from tests.chaos.book import QUERIES, Column, name

LONGEST = 120_000
"""Milliseconds: no run of the service is older."""


@dataclass(frozen=True)
class Truth:
    """What one run of the service held when it was asked: from its first scrape to `newest`."""

    epoch: str
    step: int
    columns: dict[int, Column]

    @property
    def first(self) -> int:
        return min(self.columns)

    @property
    def newest(self) -> int:
        return max(self.columns)


@dataclass
class Count:
    """What was compared."""

    columns: int = 0
    values: int = 0
    among_viewers: int = 0
    """Columns that the service did not hold any more, compared with those of other viewers."""
    mismatches: list[str] = field(default_factory=list)


async def ask(host: str, port: int, epoch: str, newest: int, step: int) -> Truth:
    """Every query of a viewer, over all that the service holds up to `newest` (ms)."""
    columns: dict[int, Column] = {}
    for index, query in enumerate(QUERIES):
        asked = {
            "query": query.replace("$__rate_interval", f"{5 * step}ms"),
            "start": (newest - LONGEST) / 1000,
            "end": newest / 1000,
            "step": step / 1000,
        }
        answer = await AsyncHTTPClient().fetch(f"http://{host}:{port}/api/v1/query_range?{urlencode(asked)}")
        for series in json.loads(answer.body)["data"]["result"]:
            key = name(index, series["metric"])
            for time, text in series["values"]:
                if math.isfinite(value := float(text)):
                    columns.setdefault(round(time * 1000), {})[key] = value
    first = min(columns)
    return Truth(epoch, step, {t: columns.get(t, {}) for t in range(first, newest + step, step)})


def compare(reports: Iterable[dict[str, Any]], truths: Iterable[Truth], goal: int) -> Count:
    """Hold every viewer's columns up to the time `goal` (ms) against what is right."""
    count = Count()
    known = {truth.epoch: truth for truth in truths}
    others: dict[int, Column] = {}
    for number, report in enumerate(reports):
        wrong = [*report["faults"], *check(report["chapters"], known, others, goal, count)]
        count.mismatches += [f"viewer {number}: {text}" for text in wrong]
    return count


def check(
    chapters: list[Any], known: dict[str, Truth], others: dict[int, Column], goal: int, count: Count
) -> Iterator[str]:
    """What is wrong with the columns of one viewer.  The last of the truths is of the service that runs."""
    newest: int | None = None
    for epoch, pairs in chapters:
        if epoch not in known:
            yield f"greeted by a service of epoch {epoch}, which nobody started"
            continue
        held = {time: column for time, column in pairs if time <= goal}
        end = goal if epoch == list(known)[-1] else max(held, default=0)
        whole = expected(held, known[epoch], newest, end)
        if list(held) != whole:
            yield f"{epoch}: {difference(held, whole)}"
        for time, column in held.items():
            yield from judged(time, column, known[epoch], others, count)
        newest = max(held, default=newest)
    if chapters[-1][0] != list(known)[-1]:
        yield "never greeted by the service that runs"


def expected(held: dict[int, Column], truth: Truth, newest: int | None, end: int) -> list[int]:
    """Times of the columns that a viewer must hold of one run of the service.

    They begin with the service's first scrape, or where the viewer was new, with what it asked for first.
    """
    first = min(held, default=end + 1) if newest is None else max(truth.first, newest + truth.step)
    return list(range(first, end + 1, truth.step))


def judged(time: int, column: Column, truth: Truth, others: dict[int, Column], count: Count) -> Iterator[str]:
    """What is wrong with one column."""
    right = truth.columns.get(time)
    if right is None:
        right = others.setdefault(time, column)
        count.among_viewers += 1
    else:
        count.columns += 1
        count.values += len(right)
    if column != right:
        yield f"column {time}: " + "; ".join(
            f"{key}: {column.get(key)!r}, not {right.get(key)!r}"
            for key in sorted(column.keys() | right.keys())
            if column.get(key) != right.get(key)
        )


def difference(held: dict[int, Column], whole: list[int]) -> str:
    """Which columns are missing, which nobody can know, and whether the rest is in order."""
    missing = [time for time in whole if time not in held]
    unknown = sorted(held.keys() - set(whole))
    order = "in order" if list(held) == sorted(held) else "not in order"
    return f"missing {missing}, not expected {unknown}, {order}"
