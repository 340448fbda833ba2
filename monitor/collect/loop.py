"""One pass over all collectors each interval: schedule, isolation, success and duration as samples."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from monitor.collect.host import Host
from monitor.collect.timeline import Timeline
from monitor.model import Block, Event, Kind, Labels, Layout, Metric, Scrape
from monitor.telemetry import Telemetry

log = logging.getLogger(__name__)

PATIENCE, TIMEOUT = 1.0, 5.0
"""Seconds that a collector may take in any case, as any process may be kept from running for a while; and at
most, however long the interval is."""
ABSENT = 10.0
"""Seconds after which what was not on this host is looked for again."""
OFFSET = Metric(
    "monitor_clock_offset_seconds",
    Kind.GAUGE,
    "How far timestamps are ahead of the wall clock, since that was set back.",
    "seconds",
)
SUCCESS = Metric("node_scrape_collector_success", Kind.GAUGE, "Whether a collector has data.")
DURATION = Metric("node_scrape_collector_duration_seconds", Kind.GAUGE, "Time a collector took.", "seconds")


QUIET = 60.0
"""Seconds between two lines of log about the failures of one."""


class Collector(Protocol):
    """A source that answers at once."""

    def collect(self, host: Host, /) -> Iterable[Block]:
        """What is measured now.  Raises FileNotFoundError where the host has no such thing."""


@runtime_checkable
class Background(Protocol):
    """A source that answers when it can: asked every few seconds, its last answer stands in between."""

    every: float
    """Seconds between two questions."""
    limit: float
    """Seconds after which an answer is given up."""

    async def refresh(self, host: Host, /) -> Iterable[Block]:
        """What is measured.  Raises FileNotFoundError where the host has no such thing."""

    async def close(self) -> None:
        """Let go of all that it holds."""


@runtime_checkable
class Holding(Protocol):
    """A source that holds something of its own, such as open files."""

    def close(self) -> None: ...


@runtime_checkable
class Telling(Protocol):
    """A source that notes what happens beside what it measures."""

    def happened(self) -> Iterable[Event]:
        """What happened since it was asked last."""


def forget(event: Event) -> None:
    """Take an event where nobody keeps any."""


class CollectLoop:
    """Measures this host once each interval and hands over one scrape a pass.

    A pass runs on the thread of the event loop, as the kernel's files are read in microseconds.  A slow
    one makes later ones be left out and counted, never wait in line.
    """

    def __init__(
        self,
        host: Host,
        collectors: Mapping[str, Collector | Background],
        accept: Callable[[Scrape], None],
        *,
        target: Labels,
        telemetry: Telemetry,
        tell: Callable[[Event], None] = forget,
        interval: float = 1.0,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._host = host
        self._accept = accept
        self._tell = tell
        self._target = target
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._sleep = sleep
        self._timeline = Timeline(interval, wall, monotonic)
        self._limit = min(max(interval, PATIENCE), TIMEOUT)
        self._accepting = Health("what takes the samples", monotonic)
        self._leaving: set[asyncio.Task[None]] = set()
        self.collectors = dict(collectors)
        """By name."""
        self._sources = {name: self._source(name) for name in collectors}
        self._status = status(collectors)

    async def run(self) -> None:
        """Measure until cancelled, then let go of the host and of all collectors."""
        try:
            # What takes a while is asked at once, so that the first scrape has it.
            for source in self._sources.values():
                source.begin(self._timeline.next)
            while True:
                await self._sleep(max(self._timeline.wait(), 0))
                if self._timeline.wait() <= 0:
                    self._pass()
        finally:
            await asyncio.gather(*self._leaving, *(source.close() for source in self._sources.values()))
            self._host.close()

    def change(self, collectors: Mapping[str, Collector | Background]) -> None:
        """Measure by these from the next pass on; those that were there before go on as they are."""
        before, self.collectors = self.collectors, dict(collectors)
        gone = {name: self._sources[name] for name in before if before[name] is not collectors.get(name)}
        kept = {name: source for name, source in self._sources.items() if name not in gone}
        new = {name: self._source(name) for name in collectors if name not in kept}
        for source in new.values():
            source.begin(self._timeline.next)
        for source in gone.values():
            leaving = asyncio.create_task(source.close())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        self._sources = {name: kept.get(name) or new[name] for name in collectors}
        self._status = status(collectors)

    def _source(self, name: str) -> Direct | Repeated:
        collector = self.collectors[name]
        if isinstance(collector, Background):
            return Repeated(name, collector, self._host, self._monotonic)
        return Direct(name, collector, self._host, self._monotonic, self._limit)

    def measure(self, timestamp: int) -> Scrape:
        """One pass: what all collectors measure now, under the given time in ms."""
        self._host.fresh(timestamp / 1000)
        blocks: list[Block] = []
        for source in self._sources.values():
            blocks += source.measured(timestamp)
        blocks.append(Block(self._status, self._states()))
        for collector in self.collectors.values():
            for event in collector.happened() if isinstance(collector, Telling) else ():
                self._tell(event)
        return Scrape(timestamp, self._target, tuple(blocks))

    def _pass(self) -> None:
        timestamp, missed = self._timeline.tick()
        self._telemetry.delay_seconds.observe((self._timeline.now() - timestamp) / 1000)
        self._telemetry.ticks_missed += missed
        began = self._monotonic()
        scrape = self.measure(timestamp)
        self._telemetry.pass_seconds.observe(self._monotonic() - began)
        try:
            self._accept(scrape)
        except Exception as error:  # noqa: BLE001  (collecting outlives what goes wrong behind it)
            self._accepting.turn(error)
        else:
            self._accepting.turn(None)

    def _states(self) -> list[float]:
        sources = self._sources.values()
        return [
            self._timeline.ahead,
            *[float(source.health.good) for source in sources],
            *[source.seconds for source in sources],
        ]


def status(collectors: Iterable[str]) -> Layout:
    """What is told of the collectors themselves."""
    names = tuple(collectors)
    return Layout(
        [
            OFFSET.at(),
            *(SUCCESS.at(collector=name) for name in names),
            *(DURATION.at(collector=name) for name in names),
        ]
    )


class Health:
    """Whether something works, logged once for each change; a failure that comes and goes, once a minute."""

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self.good = False
        self._name = name
        self._monotonic = monotonic
        self._error: type[BaseException] | None = None
        self._said: float | None = None
        """When the log was last told of a failure."""
        self._untold = False

    def turn(self, error: Exception | None) -> None:
        """Note how it went: None for well, FileNotFoundError for "not on this host"."""
        if error is None:
            if self._error:
                log.info("%s: works again", self._name)
        elif isinstance(error, FileNotFoundError):
            if self._error is not FileNotFoundError:
                log.info("%s: no data: %s", self._name, error)
        elif self._untold or self._error in (None, FileNotFoundError):
            self._complain(error)
        self.good = error is None
        self._untold = self._untold and not self.good
        self._error = type(error) if error else None

    def _complain(self, error: Exception) -> None:
        now = self._monotonic()
        self._untold = self._said is not None and now - self._said < QUIET
        if self._untold:
            return
        self._said = now
        ours = not isinstance(error, OSError | ValueError)
        log.warning(
            "%s: fails: %s: %s", self._name, type(error).__name__, error, exc_info=error if ours else None
        )


class Direct:
    """A collector that is run in each pass; one that has nothing on this host, now and then."""

    def __init__(
        self, name: str, collector: Collector, host: Host, monotonic: Callable[[], float], limit: float
    ) -> None:
        self.health = Health(f"collector {name}", monotonic)
        self.seconds = 0.0
        self._collector = collector
        self._host = host
        self._monotonic = monotonic
        self._limit = limit
        self._due = 0

    def begin(self, timestamp: int) -> None:
        """Nothing to prepare."""

    def measured(self, timestamp: int) -> Iterable[Block]:
        """What it measures now; nothing where it fails."""
        if timestamp < self._due:
            self.seconds = 0.0
            return ()
        began = self._monotonic()
        blocks: list[Block] = []
        error: Exception | None = None
        try:
            blocks = list(self._collector.collect(self._host))
        except Exception as raised:  # noqa: BLE001  (one collector's fault is no other's)
            error = raised
        self.seconds = self._monotonic() - began
        if error is None and self.seconds > self._limit:
            error = TimeoutError(f"took {self.seconds:.3f} s, more than {self._limit:g} s")
        if isinstance(error, FileNotFoundError):
            self._due = timestamp + round(ABSENT * 1000)
        self.health.turn(error)
        return blocks

    async def close(self) -> None:
        """Let go of what the collector holds, where it holds anything."""
        if isinstance(self._collector, Holding):
            self._collector.close()


class Repeated:
    """A collector that is asked in the background, and whose last answer stands in each pass."""

    def __init__(self, name: str, collector: Background, host: Host, monotonic: Callable[[], float]) -> None:
        self.health = Health(f"collector {name}", monotonic)
        self.seconds = 0.0
        self._collector = collector
        self._host = host
        self._monotonic = monotonic
        self._blocks: list[Block] = []
        self._due = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self, timestamp: int) -> None:
        """Ask, unless the last question is still open; the next is due `every` after the timestamp."""
        self._due = timestamp + round(self._collector.every * 1000)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._refresh())

    def measured(self, timestamp: int) -> Iterable[Block]:
        """The last answer; asks anew when that is due."""
        if timestamp >= self._due:
            self.begin(timestamp)
        return self._blocks

    async def close(self) -> None:
        """Give up an open question and let go of the collector."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._collector.close()

    async def _refresh(self) -> None:
        began = self._monotonic()
        blocks: list[Block] = []
        error: Exception | None = None
        try:
            async with asyncio.timeout(self._collector.limit):
                blocks = list(await self._collector.refresh(self._host))
        except TimeoutError:
            error = TimeoutError(f"no answer in {self._collector.limit:g} s")
        except Exception as raised:  # noqa: BLE001  (one collector's fault is no other's)
            error = raised
        self._blocks = blocks
        self.seconds = self._monotonic() - began
        self.health.turn(error)
