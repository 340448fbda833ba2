"""The samples of one target as they were at a moment, held for good: a Storage that nobody appends to."""

from __future__ import annotations

import numpy as np

from monitor.model import Labels, Metric, Scrape, Times
from monitor.storage import FINEST, Look, Matcher, Selection, SeriesSet, Storage, is_stale, label_value


class Snapshot(Storage):
    """Copies what it is given, so that the buffers behind it may go."""

    def __init__(self, held: Selection, metrics: dict[str, Metric]) -> None:
        values = np.array(held.values)
        there = np.flatnonzero(~is_stale(values).all(axis=0))
        self._rows = np.ascontiguousarray(values[:, there])
        self._times = np.array(held.timestamps)
        self._labels = [held.series.labels[place] for place in there]
        names = {label_value(labels, "__name__") for labels in self._labels}
        self._metrics = {name: metric for name, metric in metrics.items() if name in names}
        self._target = held.target

    @property
    def memory(self) -> int:
        """Bytes of its numbers."""
        return self._rows.nbytes + self._times.nbytes

    def append(self, scrape: Scrape) -> None:
        """Raises ValueError: it is what was."""
        raise ValueError(f"a snapshot takes no scrape, and got one of {scrape.timestamp} ms")

    def select(
        self,
        matchers: tuple[Matcher, ...],
        start: int,
        end: int,
        look: Look = FINEST,  # noqa: ARG002  (there is one resolution here)
    ) -> list[Selection]:
        """Samples with start <= timestamp <= end."""
        columns = [
            column
            for column, labels in enumerate(self._labels)
            if all(matcher.accepts(labels) for matcher in matchers)
        ]
        first, last = (
            int(self._times.searchsorted(start)),
            int(self._times.searchsorted(end, "right")),
        )
        if not columns or first >= last:
            return []
        series = SeriesSet(tuple(self._labels[column] for column in columns))
        rows, places = self._rows[first:last], np.array(columns)
        return [Selection(series, self._times[first:last], rows, places, target=self._target)]

    def series(self, matchers: tuple[Matcher, ...], start: int, end: int) -> list[Labels]:
        """Label sets (with `__name__`) of matching series that have a sample in the range."""
        return [
            labels
            for found in self.select(matchers, start, end)
            for labels, gone in zip(found.series.labels, is_stale(found.values).T, strict=True)
            if not gone.all()
        ]

    def measured(self, start: int, end: int) -> Times:
        """See `Storage`."""
        first, last = self._times.searchsorted(start), self._times.searchsorted(end, "right")
        return np.repeat(self._times[first:last, None], 2, axis=1)

    def metadata(self) -> dict[str, Metric]:
        """Metric by name."""
        return self._metrics

    def oldest(self) -> int | None:
        """Time of the first row, in milliseconds."""
        return int(self._times[0]) if len(self._times) else None

    def newest(self) -> int | None:
        """Time of the last row, in milliseconds."""
        return int(self._times[-1]) if len(self._times) else None
