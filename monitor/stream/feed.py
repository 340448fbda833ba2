"""A list of queries that keeps running: evaluated and encoded once per tick, whoever listens."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitor.access import Permissions
from monitor.formats import live
from monitor.formats.live import Past
from monitor.model import Columns, Floats, Labels, Times
from monitor.promql import BrokenError, Limits, Moment, Query, QueryError, depth_of
from monitor.storage import Storage
from monitor.stream.frames import Frame, Tail

log = logging.getLogger(__name__)

FORGET = 300
"""Ticks after which a series without a value leaves the feed."""
PASTS = 32
"""Answers about the past kept for others who ask within the same tick."""

Rows = npt.NDArray[np.intp]


class FeedError(Exception):
    """A query of the feed cannot be evaluated; `query` is its index."""

    def __init__(self, query: int, error: QueryError) -> None:
        super().__init__(str(error))
        self.query = query
        self.error = error


def text_of(queries: Sequence[Query]) -> str:
    """The normal form of a list of queries."""
    return "\n".join(query.text for query in queries)


class Feed:
    """Columns are numbered n = t / step, so a number means the same before and after a restart."""

    def __init__(
        self,
        id_: int,
        queries: Sequence[Query],
        step: int,
        limits: Limits,
        n: int,
        may: Permissions = frozenset(),
    ) -> None:
        """`may` is what those may who follow it, all of them."""
        self.id = id_
        self.queries = tuple(queries)
        self.step = step
        self.key = text_of(self.queries), step, may
        """What it was asked for and by whom; a text, as its hash is worked out once."""
        self.limits = limits
        self.depth = depth_of(self.queries)
        """How far back its queries look."""
        self.n = n
        """Number of the newest column."""
        self.frames: list[Frame] = []
        """What brings a client from column n - 1 to n; empty where several columns came at once."""
        self.size = 0
        """Of those frames together, in bytes as the client counts them."""
        self.series: list[tuple[int, Labels]] = []
        self.faults: dict[int, str] = {}
        """Message by query, for those that cannot be evaluated at present."""
        self._rows: dict[tuple[int, Labels], int] = {}
        self._met: list[tuple[Labels, ...]] = []
        """The series of each query when they were last placed, and their rows."""
        self._met_rows: Rows = np.empty(0, np.intp)
        self._announced = 0
        self._last_seen: Times = np.empty(0, np.int64)
        self._tails: dict[int, Tail] = {}

    def advance(self, n: int, moment: Moment) -> None:
        """Go on to column n: ask for what is new and make the frames that say so."""
        if n > self.n:
            self.take(n, self._ask(n, n, moment) if n == self.n + 1 else ())

    def take(self, n: int, answers: Sequence[Columns | QueryError]) -> None:
        """Go on to column n, with what its queries have for it; several columns at once make no frames."""
        if n <= self.n:
            return
        single = n == self.n + 1
        self._tails.clear()
        self.n = n
        self.frames = []
        if not single:
            return
        faults = dict(self.faults)
        values = self._forget(self._arranged(answers, 1)[:, 0])
        frames = self._new_series()
        frames.append(Frame(live.tick(self.id, n, n * self.step, values)))
        frames.extend(self._new_faults(faults))
        self.frames, self.size = frames, sum(map(len, frames))

    def past(self, after: int, storage: Storage, request: int | None = None) -> Frame:
        """The columns numbered after + 1 to n: the answer to a request, or a catch-up without one.

        All but its first bytes is made and compressed once, and shared by all who lack the same.
        """
        tail = self._tails.get(after)
        if tail is None:
            if len(self._tails) == PASTS:
                del self._tails[next(iter(self._tails))]
            tail = self._tails[after] = Tail(self._past(after, storage).tail())
        return tail.after(live.COLUMNS if request is None else live.subscribed(request, self.step))

    def check(self, storage: Storage) -> None:
        """Evaluate every query once, before anybody listens.  Raises FeedError for one that fails."""
        self._arranged(self._ask(self.n, self.n, Moment(storage, self.limits)), 1)
        self._announced = len(self.series)
        for query, message in self.faults.items():
            raise FeedError(query, QueryError(message, None))

    def _past(self, after: int, storage: Storage) -> Past:
        oldest = storage.oldest()
        first_held = self.n + 1 if oldest is None else -(-oldest // self.step)
        first = min(max(after + 1, first_held), self.n + 1)
        complete = first <= after + 1
        answers = self._ask(first, self.n, Moment(storage, self.limits))
        values = self._arranged(answers, self.n - first + 1)
        return Past(
            feed=self.id,
            n=self.n,
            series=tuple(self.series),
            timestamps=np.arange(first, self.n + 1, dtype=np.int64) * self.step,
            values=values,
            complete=complete,
            oldest=None if complete or oldest is None else first * self.step,
        )

    def _ask(self, first: int, last: int, moment: Moment) -> list[Columns | QueryError]:
        """What each query has for the columns first to last."""
        times = first * self.step, last * self.step, self.step
        return [moment.ask(query, *times) for query in (self.queries if first <= last else ())]

    def _arranged(self, answers: Sequence[Columns | QueryError], columns: int) -> Floats:
        """(series, columns); new series join the feed in the order met."""
        self._note({n: answer for n, answer in enumerate(answers) if isinstance(answer, QueryError)})
        rows = self._place([() if isinstance(answer, QueryError) else answer.series for answer in answers])
        values = np.full((len(self.series), columns), np.nan)
        if len(rows):
            parts = [answer.values for answer in answers if not isinstance(answer, QueryError)]
            values[rows] = np.concatenate(parts)
        return values

    def _note(self, faults: dict[int, QueryError]) -> None:
        """These fail at present.  A fault of ours is logged when it begins, not with every tick."""
        before, self.faults = self.faults, {query: str(error) for query, error in faults.items()}
        for query, error in faults.items():
            if isinstance(error, BrokenError) and before.get(query) != self.faults[query]:
                log.error("the query %s cannot be worked out:\n%s", self.queries[query].text, error.trace)

    def _place(self, met: list[tuple[Labels, ...]]) -> Rows:
        """The rows in this feed of the series of all queries; worked out anew only for others."""
        # Compared by identity first, and a store gives the same labels as long as nothing changed.
        if met != self._met:
            rows = [self._row(index, labels) for index, series in enumerate(met) for labels in series]
            self._met, self._met_rows = met, np.array(rows, np.intp)
        return self._met_rows

    def _row(self, index: int, labels: Labels) -> int:
        row = self._rows.setdefault((index, labels), len(self.series))
        if row == len(self.series):
            self.series.append((index, labels))
            self._last_seen = np.append(self._last_seen, self.n)
        return row

    def _forget(self, values: Floats) -> Floats:
        """Drop the series that have had no value for long, and their places in the newest values."""
        self._last_seen[np.isfinite(values)] = self.n
        kept = np.flatnonzero(self._last_seen > self.n - FORGET)
        if len(kept) == len(self.series):
            return values
        self.series = [self.series[row] for row in kept]
        self._last_seen = self._last_seen[kept]
        self._rows = {key: row for row, key in enumerate(self.series)}
        self._met, self._met_rows = [], np.empty(0, np.intp)
        self._announced = -1
        return values[kept]

    def _new_series(self) -> list[Frame]:
        if self._announced == len(self.series):
            return []
        frame = Frame(live.series(self.id, self.n, self.series))
        self._announced = len(self.series)
        return [frame]

    def _new_faults(self, before: dict[int, str]) -> list[Frame]:
        return [
            Frame(live.notice("query_failed", message, query=query))
            for query, message in self.faults.items()
            if before.get(query) != message
        ]
