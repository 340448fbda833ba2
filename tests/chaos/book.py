"""What one viewer holds, and whether it came as docs/protocol.md promises.  No socket and no clock inside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

QUERIES = (
    'up{job="node"}',
    "node_load1",
    '{__name__=~"node_memory_.+_bytes"}',
    "rate(node_cpu_seconds_total[$__rate_interval])",
    "topk(2, irate(node_cpu_seconds_total[$__rate_interval]))",
    "sum by (device) (rate(node_network_receive_bytes_total[$__rate_interval]))",
    "monitor_sessions_gone_total",
    "monitor_http_requests_total",
    "rate(monitor_tick_seconds_bucket[$__rate_interval])",
    "avg_over_time(monitor_clients[$__rate_interval])",
)
"""Some of their series come and go: reasons for which sessions went, network devices, the busiest two."""
RANGE_STEPS = 5
"""Steps of the past asked for by a viewer that holds nothing."""

Column = dict[str, float]
"""Value by query and labels, for those that have one."""
Message = dict[str, Any]


class HoleError(Exception):
    """A tick does not follow the last one: the viewer has to subscribe with `after`."""


@dataclass
class Chapter:
    """The columns sent by one run of the service."""

    epoch: str
    columns: dict[int, Column] = field(default_factory=dict)


class Book:
    """All columns that a viewer was sent; `faults` says in words what was not as promised."""

    def __init__(self) -> None:
        self.chapters: list[Chapter] = []
        self.faults: list[str] = []
        self.jumps = 0
        self.catch_ups = 0
        self.n = 0
        """Number of the newest column, by what the service said."""
        self.step = 0
        self.feed = 0
        self._request = 0
        self._after: int | None = None
        self._asking = False
        self._series: list[str] = []
        self._next: Message | None = None

    @property
    def newest(self) -> int | None:
        """Time of the last column held."""
        return next((max(part.columns) for part in reversed(self.chapters) if part.columns), None)

    def welcome(self, message: Message) -> None:
        self.step = message["step"]
        if not self.chapters or self.chapters[-1].epoch != message["epoch"]:
            self.chapters.append(Chapter(message["epoch"]))

    def ask(self) -> Message:
        """The subscription; until its answer comes, ticks are let go."""
        self._request += 1
        self._after, self._asking, self._next = self.newest, True, None
        past = {"range": RANGE_STEPS * self.step} if self._after is None else {"after": self._after}
        return {"type": "subscribe", "request": self._request, "queries": QUERIES, **past}

    def take(self, message: Message) -> bool:
        """Whether the message brought columns, which are to be acknowledged.  Raises HoleError."""
        kind = message["type"]
        if kind == "error":
            self.faults.append(f"refused: {message}")
        if kind == "subscribed" and message["request"] == self._request:
            self._asking, self.feed = False, message["feed"]
            self._past(message, None if self._after is None else self._after // self.step)
            return True
        if self._asking or message.get("feed") != self.feed:
            return False
        if kind == "columns":
            self.catch_ups += 1
            self._past(message, self.n)
        elif kind == "series":
            self._next = message
        elif kind == "tick":
            self._tick(message)
        return kind in ("columns", "tick")

    def _past(self, message: Message, held: int | None) -> None:
        """Columns up to n: those after `held`, or what the service has of them."""
        times, n = message["columns"]["t"], message["n"]
        first = times[0] // self.step if times else n + 1
        if times != [number * self.step for number in range(first, n + 1)]:
            self.faults.append(f"columns to {n} are no unbroken row: {times}")
        if held is not None and message["complete"] and first != min(held, n) + 1:
            self.faults.append(f"columns after {held} begin at {first}")
        if held is not None and not message["complete"] and self.chapters[-1].columns:
            self.faults.append(f"columns after {held} are said to be lost though nobody restarted")
        self.n = n
        self._series, self._next = named(message["series"]), None
        for place, time in enumerate(times):
            self._hold(time, [row[place] for row in message["columns"]["v"]])

    def _tick(self, message: Message) -> None:
        n = message["n"]
        if n != self.n + 1:
            self.jumps += 1
            raise HoleError
        if self._next is not None and n >= self._next["n"]:
            self._series, self._next = named(self._next["series"]), None
        self.n = n
        self._hold(message["t"], message["v"])

    def _hold(self, time: int, values: list[float | None]) -> None:
        newest = self.newest
        if newest is not None and time <= newest:
            self.faults.append(f"column {time} came after {newest}")
        if len(values) != len(self._series):
            self.faults.append(f"column {time} has {len(values)} values for {len(self._series)} series")
        pairs = zip(self._series, values, strict=False)
        self.chapters[-1].columns[time] = {key: value for key, value in pairs if value is not None}

    def report(self) -> Message:
        return {
            "chapters": [[part.epoch, list(part.columns.items())] for part in self.chapters],
            "faults": self.faults,
            "jumps": self.jumps,
            "catch_ups": self.catch_ups,
        }


def named(series: list[Message]) -> list[str]:
    return [name(entry["query"], entry["labels"]) for entry in series]


def name(query: int, labels: dict[str, str]) -> str:
    """One series of a subscription."""
    return f"{query} {json.dumps(labels, sort_keys=True)}"
