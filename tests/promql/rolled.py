"""A store in three resolutions, the slow and obvious way: all samples in memory, rolled up when asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from monitor.model import Floats, Labels, Metric, Scrape, Times
from monitor.storage import FINEST, STALE_BITS, Aspect, Look, Matcher, Selection, Storage, is_stale
from monitor.storage.head import Head

MINUTE, HOUR = 60_000, 3_600_000
STALE = float(np.array(STALE_BITS, np.int64).view(np.float64))
Row = tuple[int, list[dict[Aspect, float]]]
"""A time, and what is told of each series: nothing where it has no sample."""


class Rolled(Storage):
    """Minutes and hours that are over are rolled up; what is older than `minutes` ms is there in hours only,
    and samples older than `samples` ms are not there."""

    def __init__(self, head: Head, *, samples: int = 0, minutes: int = 0) -> None:
        self.head = head
        self.samples, self.minutes = samples, minutes
        self.looks: list[Look] = []
        """How it was looked at."""

    def append(self, scrape: Scrape) -> None:
        self.head.append(scrape)

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        return self.head.series(matchers, start, end)

    def measured(self, start: int, end: int) -> Times:
        return self.head.measured(start, end)

    def metadata(self) -> dict[str, Metric]:
        return self.head.metadata()

    def oldest(self) -> int | None:
        return self.head.oldest()

    def select(
        self, matchers: tuple[Matcher, ...], start: int, end: int, look: Look = FINEST
    ) -> list[Selection]:
        self.looks.append(look)
        found = [
            self._selection(held, start, end, look) for held in self.head.select(matchers, -(10**15), 10**15)
        ]
        return [selection for selection in found if len(selection.timestamps)]

    def _selection(self, held: Selection, start: int, end: int, look: Look) -> Selection:
        rows = list(self._rows(held, start, end, look.grain))
        reach = max([reach for reach, _ in rows], default=0)
        size = len(rows), len(held.series)
        told: dict[Aspect, Floats] = {aspect: np.full(size, STALE) for aspect in ("last", *look.aspects)}
        for aspect, values in told.items():
            for place, (_, (_, row)) in enumerate(rows):
                for column, one in enumerate(row):
                    if one:
                        values[place, column] = one[aspect]
        times = np.array([time for _, (time, _) in rows], np.int64)
        last = told.pop("last")
        return Selection(held.series, times, last, slice(0, size[1]), reach, told if reach else None)

    def _rows(self, held: Selection, start: int, end: int, grain: int) -> Iterator[tuple[int, Row]]:
        newest = int(held.timestamps[-1])
        for hour in range((start - 1) // HOUR * HOUR, end, HOUR):
            whole = start <= hour + 1 and hour + HOUR <= min(end, newest)
            if hour < self.minutes or (grain >= HOUR and whole):
                yield from within(HOUR, rolled(held, hour, hour + HOUR), start, end)
                continue
            for minute in range(hour, hour + HOUR, MINUTE):
                whole = start <= minute + 1 and minute + MINUTE <= min(end, newest)
                if minute < self.samples or (grain >= MINUTE and whole):
                    yield from within(MINUTE, rolled(held, minute, minute + MINUTE), start, end)
                else:
                    yield from within(0, single(held, minute, minute + MINUTE), start, end)


def within(reach: int, rows: Iterator[Row], start: int, end: int) -> Iterator[tuple[int, Row]]:
    for row in rows:
        if start <= row[0] <= end:
            yield reach, row


def single(held: Selection, low: int, high: int) -> Iterator[Row]:
    """Samples of low < time <= high."""
    for time, values in zip(held.timestamps.tolist(), held.values, strict=True):
        if low < time <= high:
            absent = is_stale(values).tolist()
            yield (
                time,
                [{} if gone else sample(value) for value, gone in zip(values.tolist(), absent, strict=True)],
            )


def sample(value: float) -> dict[Aspect, float]:
    return {"last": value, "min": value, "max": value, "sum": value, "count": 1.0, "lost": math.nan}


def rolled(held: Selection, low: int, high: int) -> Iterator[Row]:
    """One row for all samples of low < time <= high, if there are any."""
    rows = list(single(held, low, high))
    if rows:
        before = [row for _, row in single(held, -(10**15), low)]
        columns = range(len(held.series))
        yield (
            rows[-1][0],
            [
                together(
                    [row[column]["last"] for row in before if row[column]],
                    [row[column]["last"] for _, row in rows if row[column]],
                )
                for column in columns
            ],
        )


def together(before: list[float], values: list[float]) -> dict[Aspect, float]:
    if not values:
        return {}
    numbers = [value for value in values if not math.isnan(value)] or [math.nan]
    lost, last = 0.0, before[-1] if before else math.nan
    for value in values:
        lost += last if value < last else 0.0
        last = value
    return {
        "last": values[-1],
        "min": min(numbers),
        "max": max(numbers),
        "sum": sum(values),
        "count": float(len(values)),
        "lost": lost,
    }
