"""One pass over all collectors each interval: schedule, isolation, success and duration as samples."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence

from monitor.collect.budget import Budget, Meter, Metered, Watch, planned
from monitor.collect.collector import Background, Collector, Holding, Rare, Telling
from monitor.collect.health import Health
from monitor.collect.host import Host
from monitor.collect.status import Status
from monitor.collect.timeline import Timeline
from monitor.model import Block, Event, Kind, Labels, Layout, Metric, Scrape
from monitor.telemetry import Telemetry

log = logging.getLogger(__name__)

PATIENCE, TIMEOUT = 1.0, 5.0
"""Seconds that a collector may take in any case, as any process may be kept from running for a while; and at
most, however long the interval is."""
ABSENT, LONG_ABSENT = 10.0, 60.0
"""Seconds after which what was not on this host is looked for again: at first, and then by as many more each
time up to these."""
SLOWED = Metric(
    "monitor_collector_slowdown",
    Kind.GAUGE,
    "How many times as long as usual it is from one run to the next; only of collectors over their budget.",
)
SETTLED, PLANNED = 10, 10
"""Passes after which it is told what is not on this host; and between two looks at what collectors take."""
GIVEN = Budget()


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
        budget: Budget = GIVEN,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._host = host
        self._accept = accept
        self._tell = tell
        self._target = target
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._watch = Watch(monotonic, cpu)
        self._sleep = sleep
        self._timeline = Timeline(interval, wall, monotonic)
        self._budget = budget
        self._passes = 0
        self._slowed: Block | None = None
        self._limit = min(max(interval, PATIENCE), TIMEOUT)
        self._accepting = Health("what takes the samples", monotonic)
        self._leaving: set[asyncio.Task[None]] = set()
        self.collectors = dict(collectors)
        """By name."""
        self._sources = {name: self._source(name) for name in collectors}
        self._status, self._telling = self._stated(), telling(collectors)

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
        self._status, self._telling = self._stated(), telling(collectors)
        self._slowed = self._slowdown()

    def _source(self, name: str) -> Source:
        collector = self.collectors[name]
        if isinstance(collector, Background):
            return Repeated(name, collector, self._host, self._monotonic)
        return Direct(name, collector, self._host, self._watch, self._limit, self._timeline.interval)

    def _stated(self) -> Status:
        """How all collectors are at present."""
        status = Status(self._sources)
        for place, source in enumerate(self._sources.values()):
            status.note(place, source.health.good, source.seconds, source.meter.total)
        return status

    def measure(self, timestamp: int) -> Scrape:
        """One pass: what all collectors measure now, under the given time in ms."""
        self._host.fresh(timestamp / 1000)
        self._watch.lap()
        blocks: list[Block] = []
        for place, source in enumerate(self._sources.values()):
            if timestamp >= source.due:
                source.look(timestamp)
                self._status.note(place, source.health.good, source.seconds, source.meter.total)
            blocks += source.blocks
        blocks.append(self._status.block(self._timeline.ahead))
        if self._slowed:
            blocks.append(self._slowed)
        for telling in self._telling:
            for event in telling.happened():
                self._tell(event)
        return Scrape(timestamp, self._target, tuple(blocks))

    def _pass(self) -> None:
        timestamp, missed = self._timeline.tick()
        self._telemetry.delay_seconds.observe((self._timeline.now() - timestamp) / 1000)
        self._telemetry.ticks_missed += missed
        began = self._monotonic()
        scrape = self.measure(timestamp)
        self._telemetry.pass_seconds.observe(self._monotonic() - began)
        self._settle()
        try:
            self._accept(scrape)
        except Exception as error:  # noqa: BLE001  (collecting outlives what goes wrong behind it)
            self._accepting.turn(error)
        else:
            self._accepting.turn(None)

    def _settle(self) -> None:
        """After a pass: tell once what there is not, and look now and then at what collectors take."""
        self._passes += 1
        if self._passes == SETTLED:
            absent = [name for name, source in self._sources.items() if source.health.absent]
            if absent:
                log.info("not on this host, and looked for now and then: %s", ", ".join(absent))
        if self._passes % PLANNED == 0:
            self._plan()

    def _plan(self) -> None:
        """Have each collector run as often as the budget allows, and say what changed."""
        loads = {name: source.meter.typical / source.pace for name, source in self._sources.items()}
        before = {name: source.step for name, source in self._sources.items()}
        steps = planned(loads, before, self._budget)
        if steps == before:
            return
        for name, source in self._sources.items():
            source.step = steps[name]
            if steps[name] > before[name]:
                text = "collector %s: run %d times less often, as it takes %.1f ms of CPU in each second"
                log.info(text, name, steps[name], loads[name] * 1000)
            elif steps[name] < before[name]:
                log.info("collector %s: takes less, and is run more often again", name)
        self._slowed = self._slowdown()

    def _slowdown(self) -> Block | None:
        """Who is run less often, where anybody is."""
        slowed = {name: float(source.step) for name, source in self._sources.items() if source.step > 1}
        entries = Layout(SLOWED.at(collector=name) for name in slowed)
        return Block(entries, list(slowed.values())) if slowed else None


def telling(collectors: Mapping[str, Collector | Background]) -> tuple[Telling, ...]:
    """Those that note what happens; asked once, as Python looks long for what makes one of them."""
    return tuple(each for each in collectors.values() if isinstance(each, Telling))


class Source(ABC):
    """A collector, and what stands of it in each pass until it is due."""

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self.blocks: Sequence[Block] = ()
        """What a scrape has of it."""
        self.due = 0
        """From this time on, in ms, a pass looks at it first."""
        self.health = Health(f"collector {name}", monotonic)
        self.seconds = 0.0
        """What it took last."""
        self.meter = Meter()
        self.step = 1
        """How many times as long as usual it is from one run to the next."""

    def measured(self, timestamp: int) -> Sequence[Block]:
        """What a scrape at that time has of it."""
        if timestamp >= self.due:
            self.look(timestamp)
        return self.blocks

    @abstractmethod
    def look(self, timestamp: int) -> None:
        """Make `blocks` those of this pass, and say when it is due again."""

    def begin(self, timestamp: int) -> None:  # noqa: B027  (most have nothing to prepare)
        """Prepare for the pass at that time, the first."""

    @property
    @abstractmethod
    def pace(self) -> float:
        """Seconds from one run to the next, unless it is slowed."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the collector."""


class Direct(Source):
    """A collector that is run in each pass; one that is rare or has nothing on this host, now and then."""

    def __init__(
        self, name: str, collector: Collector, host: Host, watch: Watch, limit: float, interval: int
    ) -> None:
        """`limit` is in seconds, `interval` the time between two passes in ms."""
        super().__init__(name, watch.time)
        self._collector, self._host = collector, host
        self._watch, self._limit, self._interval = watch, limit, interval
        self._rare = isinstance(collector, Rare)
        self._pause = (
            max(interval, round(collector.every * 1000)) if isinstance(collector, Rare) else interval
        )
        self._next = 0
        """When it is run again."""
        self._absent = 0.0
        """Seconds that it was last left alone for, as it was not on this host."""

    @property
    def pace(self) -> float:
        return self._pause / 1000

    def look(self, timestamp: int) -> None:
        """Run it; what is slowed has nothing between two runs, and what fails has nothing either."""
        blocks: Sequence[Block] = ()
        if timestamp >= self._next:
            blocks = self._run()
            self._next = timestamp + self._rest()
        self.blocks = blocks
        self.due = self._next if self._rare or not blocks else timestamp + self._interval

    def _rest(self) -> int:
        """Milliseconds until it is run again; what failed is tried in the next pass."""
        if self.health.absent:
            self._absent = min(self._absent + ABSENT, LONG_ABSENT)
            return round(self._absent * 1000)
        self._absent = 0.0
        return self.step * (self._pause if self.health.good else self._interval)

    def _run(self) -> Sequence[Block]:
        blocks: Sequence[Block] = ()
        error: Exception | None = None
        try:
            blocks = self._read()
        except Exception as raised:  # noqa: BLE001  (one collector's fault is no other's)
            error = raised
        self.seconds, spent = self._watch.lap()
        self.meter.note(spent)
        if error is None and self.seconds > self._limit:
            error = TimeoutError(f"took {self.seconds:.3f} s, more than {self._limit:g} s")
        self.health.turn(error)
        if self.health.absent:
            self.seconds = 0.0
        return blocks

    def _read(self) -> list[Block]:
        if not self._rare:
            return list(self._collector.collect(self._host))
        with self._host.passing():
            return list(self._collector.collect(self._host))

    async def close(self) -> None:
        """Let go of what the collector holds, where it holds anything."""
        if isinstance(self._collector, Holding):
            self._collector.close()


class Repeated(Source):
    """A collector that is asked in the background, and whose last answer stands in each pass."""

    def __init__(self, name: str, collector: Background, host: Host, monotonic: Callable[[], float]) -> None:
        super().__init__(name, monotonic)
        self._collector, self._host = collector, host
        self._monotonic = monotonic
        self._since: int | None = None
        """When the answer that stands was first given away."""
        self._next = 0
        """When it is asked again."""
        self._task: asyncio.Task[None] | None = None

    def begin(self, timestamp: int) -> None:
        """Ask, unless the last question is still open; the next is due `every` after the timestamp, or later
        where it is slowed."""
        self._next = timestamp + self._pause()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._refresh())

    def look(self, timestamp: int) -> None:
        """Keep the last answer for as long as it usually stands; ask anew when that is due."""
        if timestamp >= self._next:
            self.begin(timestamp)
        if self._since is None:
            self._since = timestamp
        stands = self._since + self._pause() + round(self._collector.limit * 1000)
        if timestamp > stands:
            self.blocks = ()
        self.due = min(self._next, stands + 1) if self.blocks else self._next

    def _pause(self) -> int:
        """Milliseconds from one question to the next."""
        return self.step * round(self._collector.every * 1000)

    @property
    def pace(self) -> float:
        return self._collector.every

    async def close(self) -> None:
        """Give up an open question and let go of the collector."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._collector.close()

    async def _refresh(self) -> None:
        began = self._monotonic()
        work = Metered(collected(self._collector, self._host))
        blocks: list[Block] = []
        error: Exception | None = None
        try:
            async with asyncio.timeout(self._collector.limit):
                blocks = await work
        except TimeoutError:
            error = TimeoutError(f"no answer in {self._collector.limit:g} s")
        except Exception as raised:  # noqa: BLE001  (one collector's fault is no other's)
            error = raised
        finally:
            work.close()
            self.meter.note(work.spent)
        self.blocks, self._since, self.due = blocks, None, 0
        self.seconds = self._monotonic() - began
        self.health.turn(error)


async def collected(collector: Background, host: Host) -> list[Block]:
    """All that it answers."""
    return list(await collector.refresh(host))
