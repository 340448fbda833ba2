"""The promise (docs/protocol.md, rule 2): what a client was sent is the range query.

Histories are drawn by hypothesis: ticks on time and late, series that come and go, clients that stall, hide,
lose their connection or never acknowledge, and a service that restarts.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor.formats import live
from monitor.model import Labels
from monitor.promql import Limits, evaluate, parse
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.session import Session
from tests.stream.deep import DeepHouse
from tests.stream.house import START, House, read, subscribe

QUERIES = ("load", "bytes", "sum(bytes)", "rate(load[$__rate_interval])")
BEAT = Beat(Frame(live.beat(1)), 1)


class Browser:
    """A client that keeps to docs/protocol.md: holds columns, sees jumps, resumes with `after`."""

    def __init__(self, session: Session, queries: tuple[str, ...] = QUERIES, span: int = 3000) -> None:
        self.session, self.queries, self.span = session, queries, span
        self.columns: dict[int, dict[tuple[int, Labels], float]] = {}
        self.series: list[tuple[int, Labels]] = []
        self.feed = 0
        self.acknowledges = True

    @property
    def last(self) -> int | None:
        return max(self.columns, default=None)

    def connect(self, session: Session, now: float) -> None:
        self.session = session
        past = {"range": self.span} if self.last is None else {"after": self.last}
        session.receive(subscribe(queries=self.queries, **past))
        self.take(session.outgoing(now, drained=True))

    def take(self, frames: list[Frame]) -> None:
        for message in read(frames):
            if message["type"] in ("subscribed", "columns", "series"):
                self.feed = message["feed"]
                self.series = [
                    (entry["query"], tuple(sorted(entry["labels"].items()))) for entry in message["series"]
                ]
            if message["type"] in ("subscribed", "columns"):
                for place, t in enumerate(message["columns"]["t"]):
                    self.hold(t, [row[place] for row in message["columns"]["v"]])
            elif message["type"] == "tick":
                self.hold(message["t"], message["v"])
            if message["type"] in ("subscribed", "columns", "tick") and self.acknowledges:
                self.acknowledge(message)

    def hold(self, t: int, values: list[float | None]) -> None:
        assert self.last is None or t == self.last + 1000, "a column is lost, twice there, or out of order"
        assert len(values) == len(self.series)
        pairs = zip(self.series, values, strict=True)
        self.columns[t] = {key: value for key, value in pairs if value is not None}

    def acknowledge(self, message: dict[str, Any]) -> None:
        self.session.receive(json.dumps({"type": "ack", "feed": message["feed"], "n": message["n"]}))


class Histories(RuleBasedStateMachine):
    queries: tuple[str, ...] = QUERIES
    span = 3000

    def build(self) -> House:
        house = House()
        house.tick(5)
        return house

    @initialize()
    def open(self) -> None:
        self.house = self.build()
        self.browser = Browser(self.house.session(), self.queries, self.span)
        self.browser.connect(self.browser.session, 5.0)
        self.connected = True
        self.drained = True

    def send(self, *, tick: bool) -> None:
        if not self.connected:
            return
        session, now = self.browser.session, float(self.house.second)
        frames = session.tick(now, self.drained, BEAT) if tick else session.outgoing(now, self.drained)
        self.browser.take(frames)

    @rule(times=st.integers(1, 6), drained=st.booleans(), acknowledges=st.booleans())
    def ticks(self, times: int, drained: bool, acknowledges: bool) -> None:
        self.drained, self.browser.acknowledges = drained, acknowledges
        for _ in range(times):
            self.house.tick(self.house.second + 1)
            self.send(tick=True)

    @rule(seconds=st.integers(2, 5))
    def ticks_late(self, seconds: int) -> None:
        self.house.feeds.advance(self.house.store(self.house.second + seconds))
        self.send(tick=True)

    @rule(devices=st.sets(st.sampled_from("abc"), max_size=3))
    def devices_change(self, devices: set[str]) -> None:
        self.house.devices = tuple(sorted(devices))

    @precondition(lambda self: self.connected)
    @rule(visible=st.booleans())
    def is_seen(self, visible: bool) -> None:
        self.browser.session.receive(json.dumps({"type": "visible", "visible": visible}))
        self.send(tick=False)

    @rule(restart=st.booleans(), away=st.integers(0, 5))
    def is_cut_and_comes_back(self, restart: bool, away: int) -> None:
        self.browser.session.end()
        self.connected = False
        if restart:
            self.house.restart()
        self.ticks(away, drained=True, acknowledges=True)
        self.comes_back()

    def comes_back(self) -> None:
        self.connected = True
        self.browser.connect(self.house.session(), float(self.house.second))

    @invariant()
    def nothing_runs_for_nobody(self) -> None:
        assert len(self.house.feeds) == 1

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        self.browser.session.end()
        # Before its first tick a restarted service takes its newest column for one that is still measured.
        self.house.tick(self.house.second + 1)
        self.comes_back()
        self.drained = True
        while self.house.settle():
            self.send(tick=True)
        assert self.browser.last == (START + self.house.second) * 1000
        first, last = min(self.browser.columns), max(self.browser.columns)
        expected: dict[int, dict[tuple[int, Labels], float]] = {t: {} for t in range(first, last + 1, 1000)}
        for index, text in enumerate(self.queries):
            query = parse(text.replace("$__rate_interval", "5s"))
            found = evaluate(query, self.house.storage, first, last, 1000, Limits())
            for labels, row in zip(found.series, found.values.tolist(), strict=True):
                for t, value in zip(found.timestamps.tolist(), row, strict=True):
                    if math.isfinite(value):
                        expected[t][index, labels] = value
        assert self.browser.columns == expected
        self.browser.session.end()


class DeepHistories(Histories):
    """Most of the past is in no memory, and one query always looks beyond it."""

    queries = (*QUERIES, "sum_over_time(load[320s])")
    span = 30_000

    def build(self) -> House:
        return DeepHouse()

    @rule()
    def history_is_read(self) -> None:
        self.house.settle()
        self.send(tick=False)


MOST = int(os.environ.get("MONITOR_HISTORIES", "60"))
TestHistories, TestDeepHistories = Histories.TestCase, DeepHistories.TestCase
TestHistories.settings = settings(max_examples=MOST, stateful_step_count=30, deadline=None)
TestDeepHistories.settings = settings(TestHistories.settings, max_examples=MOST // 2)
