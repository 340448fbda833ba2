"""The words of the trade: metric, series, layout, block, scrape, columns, track, event.

Samples flow in columns.  What a source measures keeps its shape for minutes, so the shape (a `Layout`)
is made once and passed by reference, and a pass over the source yields only its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Labels = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name; `__name__` among them where the metric's name counts."""

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


class Kind(StrEnum):
    """How a metric behaves over time (the types of the Prometheus exposition format)."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    UNKNOWN = "unknown"


class Series(NamedTuple):
    """The identity of one line on a chart: a metric name and its sorted labels."""

    name: str
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured: declared once, beside the collector that measures it."""

    name: str
    kind: Kind
    help: str
    unit: str = ""

    def at(self, **labels: str) -> tuple[Metric, Series]:
        """An entry of a layout: this metric under these labels."""
        return self, Series(self.name, tuple(sorted(labels.items())))

    def part(self, suffix: str, **labels: str) -> tuple[Metric, Series]:
        """An entry for one part of a histogram: suffix `_bucket`, `_sum` or `_count`."""
        return self, Series(self.name + suffix, tuple(sorted(labels.items())))


class Layout:
    """The series of a block, in the order of its values.  Compared by identity: keep it and reuse it."""

    __slots__ = ("__weakref__", "metrics", "series")

    def __init__(self, entries: Iterable[tuple[Metric, Series]]) -> None:
        held = tuple(entries)
        self.metrics: tuple[Metric, ...] = tuple(metric for metric, _ in held)
        self.series: tuple[Series, ...] = tuple(series for _, series in held)

    def __len__(self) -> int:
        return len(self.series)


class Block(NamedTuple):
    """The values of one layout at one instant, in its order."""

    layout: Layout
    values: Sequence[float]


class Scrape(NamedTuple):
    """All blocks of one pass over one target, taken at one instant."""

    timestamp: int
    """Unix time in milliseconds."""
    target: Labels
    """Labels that storage adds to every series of the scrape: `instance` and `job`."""
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A query's result, the wire's payload and the chart's input: shared timestamps, one row per series."""

    timestamps: Times
    """(n,) Unix time in milliseconds, ascending."""
    series: tuple[Labels, ...]
    """k label sets, one for each row of values."""
    values: Floats
    """(k, n); NaN where a series has no value."""


class Track(NamedTuple):
    """Samples of one series, as files for other programs have them; a long one comes in many tracks."""

    labels: Labels
    """With `__name__`, sorted by name."""
    metric: Metric
    times: Times
    """(n,) ascending milliseconds."""
    values: Floats
    """(columns, n): the sample; of a rolled-up row what its resolution keeps, its last sample first."""


class Event(NamedTuple):
    """Something with a reason, from `time` to `end` (ms)."""

    time: int
    end: int
    kind: str
    """gap, clock, damage, or what a collector calls its own."""
    text: str
