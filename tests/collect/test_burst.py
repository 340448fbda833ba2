"""The recorder: many times a second, beside the pass each second, and never a burden."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise

from monitor.collect import Host
from monitor.collect.burst import Recorder
from monitor.model import Block, Kind, Layout, Metric, Scrape
from tests.collect.clock import START, Clock
from tests.conftest import ExpectLog

LAYOUT = Layout([Metric("one", Kind.GAUGE, "One.").at()])


class Source:
    """Takes some CPU each time, and does what it is told at a count."""

    def __init__(self, cost: float = 0.0) -> None:
        self.spent = 0.0
        self.cost = cost
        self.acts: dict[int, Callable[[], object]] = {}
        self.asked = 0

    def collect(self, host: Host) -> Iterator[Block]:
        self.asked += 1
        self.spent += self.cost
        self.acts.get(self.asked, lambda: None)()
        yield Block(LAYOUT, [float(self.asked)])


def run(source: Source, count: int, clock: Clock | None = None, interval: float = 0.1) -> list[Scrape]:
    """The first scrapes of a recorder."""
    clock = clock or Clock(START)
    scrapes: list[Scrape] = []
    tasks: list[asyncio.Task[None]] = []

    def accept(scrape: Scrape) -> None:
        scrapes.append(scrape)
        if len(scrapes) == count:
            tasks[0].cancel()

    recorder = Recorder(
        Host(),
        {"source": source},
        accept,
        target=(("job", "node"),),
        interval=interval,
        wall=clock.wall,
        monotonic=clock.monotonic,
        cpu=lambda: source.spent,
        sleep=clock.sleep,
    )

    async def whole() -> None:
        task = asyncio.create_task(recorder.run())
        tasks.append(task)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(whole())
    return scrapes


def times(scrapes: list[Scrape]) -> list[int]:
    """In ms since the clock's start."""
    return [scrape.timestamp - round(START * 1000) for scrape in scrapes]


def test_it_measures_between_the_instants_of_the_pass() -> None:
    assert times(run(Source(), 12)) == list(range(50, 1250, 100))
    assert times(run(Source(), 3, interval=0.05)) == [25, 75, 125]


def test_what_costs_much_is_measured_less_often() -> None:
    """30 ms of CPU each 100 ms is a tenth of the time when it is done every 300 ms."""
    found = times(run(Source(cost=0.03), 5))
    steps = {after - before for before, after in pairwise(found)}
    assert steps == {300}


def test_instants_that_were_slept_through_are_left_out() -> None:
    clock, source = Clock(START), Source()
    source.acts[2] = lambda: clock.pass_by(0.5)
    assert times(run(source, 4, clock)) == [50, 150, 750, 850]


def test_a_clock_that_is_set_back_makes_nothing_older_than_what_there_is() -> None:
    clock, source = Clock(START), Source()
    source.acts[2] = lambda: clock.set_by(-3600)
    found = times(run(source, 5, clock))
    assert found == [50, 150, 250, 350, 450]


def test_a_clock_that_is_set_forward_is_followed_at_once() -> None:
    clock, source = Clock(START), Source()
    source.acts[2] = lambda: clock.set_by(3600)
    assert times(run(source, 3, clock)) == [50, 150, 3_600_250]


def test_one_that_fails_leaves_its_samples_out_and_the_rest_goes_on(expect_log: ExpectLog) -> None:
    def fail() -> None:
        raise OSError(5, "I/O error")

    source = Source()
    source.acts[2] = fail
    expect_log("source, in bursts: fails: OSError")
    found = run(source, 3)
    assert [len(scrape.blocks) for scrape in found] == [1, 0, 1]
