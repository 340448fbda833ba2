"""Tick: CPU to evaluate and encode the overview board, once for all who watch it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from statistics import median

from benchmarks.alternate import Figures, alternate
from benchmarks.host import STEP, Watched
from benchmarks.options import Options, progress
from benchmarks.row import Row
from monitor import parts
from monitor.promql import Query, evaluate, parse
from monitor.stream.feed import Feed
from monitor.stream.feeds import Feeds, substitute

PAST = 300
"""Columns of the backfill: five minutes."""
REPEATS = 20


def rows(options: Options) -> Iterator[Row]:
    """The whole tick, its parts, and the dearest queries."""
    progress(f"filling the head with {options.rows} scrapes of this host")
    board = Board(options.rows, options.pace)
    found = alternate(options.runs, {"tick": lambda: board.ticks(options.passes)})["tick"]
    title = f"tick of {len(board.feed.queries)} queries, {len(board.feed.series)} series"
    yield Row(f"{title}: evaluate and encode", found["evaluate"] + found["encode"], "us", most=10_000)
    yield Row(f"{title}: encode and compress alone", found["encode"], "us", "json.dumps", found["dumps"])
    yield Row("a new viewer of a board that others watch", found["join"], "us", most=800)
    yield Row(f"backfill of {PAST} columns, evaluate and encode", found["past"], "us")
    for cost, query in board.dearest(options.queries):
        yield Row(f"query: {short(str(query))}", cost, "us", "the mean query", board.mean)


def short(text: str, most: int = 70) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


class Board:
    """The overview, fed by this host."""

    def __init__(self, rows: int, pace: float) -> None:
        self.watched = Watched(pace / 6)
        self.watched.passes(rows)
        self.watched.pace = pace
        service = self.watched.service
        self.texts = next(parts.queries(board) for board in service.settings.boards)
        self.feeds = Feeds(service.head, STEP, service.limits, time.time)
        self.feeds.now = self.watched.now
        self.feed: Feed = self.feeds.open(self.texts, {}, STEP)
        self.mean = 0.0
        """Microseconds of a query, once `dearest` was asked."""

    def ticks(self, count: int) -> Figures:
        """Microseconds of CPU, medians of so many ticks with a new scrape before each."""
        spent: dict[str, list[float]] = {name: [] for name in ("evaluate", "encode", "dumps", "join", "past")}

        def tick() -> None:
            if self.feeds.now == self.watched.now:
                return  # Before the first pass.
            spent["evaluate"].append(timed(lambda: self.feeds.advance(self.watched.now)))
            spent["encode"].append(timed(self.encode))
            values = self.newest()
            spent["dumps"].append(timed(lambda: json.dumps({"v": values}, separators=(",", ":")).encode()))
            spent["join"].append(timed(self.join))
            spent["past"].append(timed(lambda: self.feed.past(self.feed.n - PAST, self.feeds.storage)))

        self.watched.passes(count + 2, tick)
        return {name: median(held[1:]) for name, held in spent.items()}

    def encode(self) -> None:
        """The last frame's bytes in both forms; its text was made with the values."""
        frame = self.feed.frames[-1]
        frame.wire(deflate=False)
        frame.wire(deflate=True)

    def newest(self) -> list[float | None]:
        values: list[float | None] = json.loads(self.feed.frames[-1].payload)["v"]
        return values

    def join(self) -> None:
        """What a subscription costs when the feed runs already, but for the frame of its past."""
        self.feeds.close(self.feeds.open(self.texts, {}, STEP))

    def dearest(self, most: int) -> list[tuple[float, Query]]:
        """The dearest queries, each evaluated alone, with what one costs in microseconds."""
        known = {"__rate_interval": f"{5 * STEP}ms"}
        queries = {parse(substitute(text, known)) for text in self.texts}
        costs = sorted(((self.cost(query), query) for query in queries), key=lambda one: one[0])
        self.mean = sum(cost for cost, _ in costs) / len(costs)
        return costs[: -most - 1 : -1]

    def cost(self, query: Query) -> float:
        now = self.watched.now
        limits = self.watched.service.limits
        return median(
            timed(lambda: evaluate(query, self.feeds.storage, now, now, STEP, limits)) for _ in range(REPEATS)
        )


def timed(work: Callable[[], object]) -> float:
    """Microseconds of CPU."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e6
