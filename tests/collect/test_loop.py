"""The pass over all collectors: in time, isolated, and honest about what failed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.collect import COLLECTORS, Background, CollectLoop, Collector, Host
from monitor.collect.loop import Repeated
from monitor.config import Settings
from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.telemetry import Telemetry
from tests.collect.clock import START, Clock
from tests.collect.samples import numbers, text
from tests.conftest import ExpectLog

TARGET = (("instance", "desktop"), ("job", "node"))
ONE = Layout([Metric("one", Kind.GAUGE, "One.").at()])


class Source:
    """A collector that does what it is told."""

    def __init__(self, *acts: Callable[[], float]) -> None:
        self.acts = list(acts)

    def collect(self, host: Host) -> Iterator[Block]:
        act = self.acts.pop(0) if self.acts else lambda: 1.0
        yield Block(ONE, [act()])


class Slow:
    """A background source that counts its questions."""

    every = 5.0

    def __init__(self, limit: float = 60.0, never: bool = False) -> None:
        self.limit = limit
        self.asked = 0
        self.never = never
        self.closed = False

    async def refresh(self, host: Host) -> list[Block]:
        self.asked += 1
        if self.never:
            await asyncio.get_running_loop().create_future()
        return [Block(ONE, [float(self.asked)])]

    async def close(self) -> None:
        self.closed = True


class Run:
    """A loop that is run for some scrapes."""

    def __init__(
        self,
        collectors: Mapping[str, Collector | Background],
        clock: Clock | None = None,
        accept: Callable[[Scrape], None] | None = None,
        host: Host | None = None,
    ) -> None:
        self.telemetry = Telemetry("0")
        self.scrapes: list[Scrape] = []
        self.extra = accept
        clock = clock or Clock(START)
        self.loop = CollectLoop(
            host or Host(),
            collectors,
            self.accept,
            target=TARGET,
            telemetry=self.telemetry,
            wall=clock.wall,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
        )

    def accept(self, scrape: Scrape) -> None:
        self.scrapes.append(scrape)
        if len(self.scrapes) == self.wanted:
            self.task.cancel()
        if self.extra:
            self.extra(scrape)

    async def until(self, count: int) -> "Run":
        self.wanted = count
        self.task = asyncio.create_task(self.loop.run())
        with suppress(asyncio.CancelledError):
            await self.task
        self.telemetry.close()
        return self

    def values(self) -> list[dict[str, float]]:
        return [
            {text(series): value for series, value in numbers(scrape.blocks).items()}
            for scrape in self.scrapes
        ]

    def series(self, name: str) -> list[float | None]:
        return [values.get(name) for values in self.values()]


def run(collectors: Mapping[str, Collector | Background], count: int, clock: Clock | None = None) -> Run:
    return asyncio.run(Run(collectors, clock).until(count))


def fail(error: Exception) -> Callable[[], float]:
    def act() -> float:
        raise error

    return act


def test_what_is_not_here_is_looked_for_less_and_less_often() -> None:
    asked: list[int] = []

    class Absent:
        def collect(self, host: Host) -> list[Block]:
            asked.append(round(host.now - START))
            raise FileNotFoundError(2, "none")

    run({"source": Absent()}, 300)
    assert [after - before for before, after in pairwise(asked)] == [10, 20, 30, 40, 50, 60, 60]


def test_one_scrape_comes_each_interval() -> None:
    done = run({"source": Source()}, 3, Clock(START + 0.4))
    first = int(START) * 1000 + 1000
    assert [scrape.timestamp for scrape in done.scrapes] == [first, first + 1000, first + 2000]
    assert {scrape.target for scrape in done.scrapes} == {TARGET}
    assert done.series("one") == [1, 1, 1]
    assert done.series("monitor_clock_offset_seconds") == [0, 0, 0]
    assert done.telemetry.ticks_missed == 0
    assert done.telemetry.pass_seconds.count == 3


def test_a_slow_pass_leaves_out_the_instants_it_took_and_nothing_piles_up() -> None:
    clock = Clock(START)

    def dawdle() -> float:
        clock.pass_by(3.2)
        return 2.0

    source = Source(dawdle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger("monitor.collect.loop"), "disabled", True)
        done = run({"source": source}, 3, clock)
    first = int(START) * 1000 + 1000
    assert [scrape.timestamp - first for scrape in done.scrapes] == [0, 3000, 4000]
    assert done.telemetry.ticks_missed == 2


def test_a_collector_that_took_too_long_is_marked_and_keeps_its_numbers(expect_log: ExpectLog) -> None:
    expect_log(r"collector source: fails: TimeoutError: took 1\.500 s, more than 1 s")
    clock = Clock(START)

    def dawdle() -> float:
        clock.pass_by(1.5)
        return 2.0

    done = run({"source": Source(dawdle)}, 2, clock)
    assert done.series("one") == [2, 1]
    assert done.series('node_scrape_collector_success{collector="source"}') == [0, 1]
    assert done.series('node_scrape_collector_duration_seconds{collector="source"}')[0] == pytest.approx(1.5)


def test_a_failing_collector_is_marked_and_the_others_go_on(expect_log: ExpectLog) -> None:
    expect_log("collector broken: fails: ValueError: no numbers")
    other = Layout([Metric("two", Kind.GAUGE, "Two.").at()])

    class Other:
        def collect(self, host: Host) -> Iterable[Block]:
            return [Block(other, [2.0])]

    done = run({"broken": Source(fail(ValueError("no numbers"))), "other": Other()}, 2)
    assert done.series("one") == [None, 1]
    assert done.series("two") == [2, 2]
    assert done.series('node_scrape_collector_success{collector="broken"}') == [0, 1]
    assert done.series('node_scrape_collector_success{collector="other"}') == [1, 1]


def test_a_failure_is_logged_once_and_so_is_its_end(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("source: fails")
    caplog.set_level(logging.INFO)
    run({"source": Source(fail(ValueError("a")), fail(ValueError("b")), fail(OSError("c")))}, 5)
    assert [record.message for record in caplog.records if record.name == "monitor.collect.loop"] == [
        "collector source: fails: ValueError: a",
        "collector source: works again",
    ]


@pytest.mark.parametrize(("passes", "told"), [(58, [0]), (70, [0, 60]), (140, [0, 60, 120])])
def test_a_failure_that_comes_and_goes_is_logged_once_a_minute(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture, passes: int, told: list[int]
) -> None:
    expect_log("source: fails")
    acts = [fail(OSError(str(number))) if number % 4 == 0 else lambda: 1.0 for number in range(passes)]
    run({"source": Source(*acts)}, passes)
    failed = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert failed == [f"collector source: fails: OSError: {number}" for number in told]


def test_a_failure_that_stays_is_told_when_the_minute_is_over(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("source: fails")
    acts = [fail(OSError("first")), lambda: 1.0, *(fail(OSError(str(number))) for number in range(2, 70))]
    run({"source": Source(*acts)}, 70)
    failed = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert failed == ["collector source: fails: OSError: first", "collector source: fails: OSError: 60"]


def test_what_the_host_does_not_have_is_no_failure(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG, "monitor.collect.loop")

    class Missing:
        def collect(self, host: Host) -> Iterator[Block]:
            yield Block(ONE, [float(host.proc("pressure/cpu"))])

    started = Run({"source": Missing()}, host=Host(str(tmp_path)))
    done = asyncio.run(started.until(3))
    assert done.series('node_scrape_collector_success{collector="source"}') == [0, 0, 0]
    told = [record for record in caplog.records if record.name == "monitor.collect.loop"]
    assert [record.levelname for record in told] == ["DEBUG"]
    assert "collector source: no data" in told[0].message
    assert str(tmp_path / "pressure/cpu") in told[0].message


def test_what_was_not_there_is_looked_for_again_after_a_while(tmp_path: Path) -> None:
    asked: list[float] = []

    class Late:
        def collect(self, host: Host) -> Iterator[Block]:
            asked.append(host.now)
            if len(asked) == 1:
                raise FileNotFoundError("sensor")
            yield Block(ONE, [1.0])

    done = run({"source": Late()}, 13)
    assert [now - asked[0] for now in asked] == [0, 10, 11, 12]
    assert done.series('node_scrape_collector_success{collector="source"}') == [0] * 10 + [1] * 3


def test_a_mistake_of_ours_is_logged_with_where_it_is(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("source: fails: KeyError")
    run({"source": Source(fail(KeyError("x")))}, 1)
    assert caplog.records[0].exc_info


def test_the_last_answer_of_a_background_source_stands_until_the_next() -> None:
    slow = Slow()
    done = run({"slow": slow}, 11)
    assert done.series("one") == [1] * 6 + [2] * 5
    assert slow.asked == 3
    assert done.series('node_scrape_collector_success{collector="slow"}') == [1] * 11
    assert slow.closed


def test_the_last_answer_of_a_slowed_background_source_stands_until_the_next() -> None:
    async def answers() -> list[tuple[float, ...]]:
        slow = Repeated("slow", Slow(limit=1.0), Host(), lambda: 0.0)
        slow.step = 5
        given: list[tuple[float, ...]] = []
        for second in range(31):
            slow.look(second * 1000)
            given += [tuple(block.values) for block in slow.blocks]
            if slow._task:
                await slow._task
        await slow.close()
        return given

    assert asyncio.run(answers()) == [(1.0,)] * 25 + [(2.0,)] * 5


class Hardly(Source):
    """A rare source, whose value is how often it was asked."""

    every = 5.0

    def __init__(self, fails: int = 0) -> None:
        super().__init__(*[fail(OSError("busy"))] * fails)
        self.asked = 0

    def collect(self, host: Host) -> Iterator[Block]:
        self.asked += 1
        if self.acts:
            self.acts.pop(0)()
        yield Block(ONE, [float(self.asked)])


def test_the_last_answer_of_a_rare_source_stands_until_it_is_asked_again() -> None:
    done = run({"rare": Hardly()}, 12)
    assert done.series("one") == [1] * 5 + [2] * 5 + [3] * 2
    assert done.series('node_scrape_collector_success{collector="rare"}') == [1] * 12


def test_a_rare_source_that_fails_is_asked_in_the_next_pass(expect_log: ExpectLog) -> None:
    expect_log("collector rare: fails: OSError: busy")
    assert run({"rare": Hardly(fails=2)}, 9).series("one") == [None] * 2 + [3] * 5 + [4] * 2


def test_a_rare_source_keeps_no_file_open() -> None:
    class Reads(Hardly):
        def collect(self, host: Host) -> Iterator[Block]:
            host.proc("loadavg")
            held.append(len(host._open))
            yield Block(ONE, [1.0])

    held: list[int] = []
    run({"rare": Reads()}, 2)
    assert held == [0]


def test_a_background_source_that_never_answers_is_given_up_and_marked(expect_log: ExpectLog) -> None:
    expect_log("collector slow: fails: TimeoutError: no answer in 0 s")
    slow = Slow(limit=0, never=True)
    done = run({"slow": slow, "source": Source()}, 11)
    assert done.series('node_scrape_collector_success{collector="slow"}') == [0] * 11
    assert done.series('node_scrape_collector_success{collector="source"}') == [1] * 11
    assert slow.asked == 3


def test_a_background_source_is_asked_one_question_at_a_time() -> None:
    slow = Slow(never=True)
    run({"slow": slow}, 30)
    assert slow.asked == 1


def test_every_scrape_holds_every_series() -> None:
    done = run({"slow": Slow()}, 12)
    assert len({frozenset(values) for values in done.values()}) == 1


def test_collecting_outlives_what_goes_wrong_behind_it(expect_log: ExpectLog) -> None:
    expect_log("what takes the samples: fails: ValueError: full")
    refused = []

    def refuse(scrape: Scrape) -> None:
        refused.append(scrape)
        raise ValueError("full")

    done = asyncio.run(Run({"source": Source()}, accept=refuse).until(3))
    assert len(refused) == len(done.scrapes) == 3


def test_timestamps_go_on_when_the_clock_is_set_back(expect_log: ExpectLog) -> None:
    expect_log("the clock was set back by 3600.000 s")
    clock = Clock(START)

    def set_back() -> float:
        clock.set_by(-3600)
        return 1.0

    done = run({"source": Source(set_back)}, 3, clock)
    first = done.scrapes[0].timestamp
    assert [scrape.timestamp - first for scrape in done.scrapes] == [0, 1000, 2000]
    assert done.series("monitor_clock_offset_seconds")[1:] == pytest.approx([3600, 3600])


def test_timestamps_jump_when_the_clock_is_set_forward() -> None:
    clock = Clock(START)

    def set_forward() -> float:
        clock.set_by(3600)
        return 1.0

    done = run({"source": Source(set_forward)}, 3, clock)
    first = done.scrapes[0].timestamp
    assert [scrape.timestamp - first for scrape in done.scrapes] == [0, 3_600_000, 3_601_000]
    assert done.telemetry.ticks_missed == 3599


def test_the_end_of_a_run_closes_what_was_opened() -> None:
    host = Host()
    slow = Slow()

    class Reads:
        def collect(self, host: Host) -> Iterator[Block]:
            host.proc("loadavg")
            yield from ()

    asyncio.run(Run({"slow": slow, "reads": Reads()}, host=host).until(1))
    assert slow.closed
    assert not host._open


def test_a_collector_that_is_let_go_of_closes_what_it_holds() -> None:
    class Holds(Source):
        closed = False

        def close(self) -> None:
            self.closed = True

    kept, leaving = Holds(), Holds()

    def changing(_scrape: Scrape) -> None:
        made.loop.change({"kept": kept})

    made = Run({"kept": kept, "leaving": leaving}, accept=changing)
    asyncio.run(made.until(2))
    assert (kept.closed, leaving.closed) == (True, True)


def test_layouts_are_the_same_objects_in_every_scrape() -> None:
    done = run({"source": Source(), "slow": Slow()}, 3)
    shapes = [[id(block.layout) for block in scrape.blocks] for scrape in done.scrapes]
    assert shapes[1] == shapes[2]


ALWAYS = {
    "cpu",
    "diskstats",
    "filefd",
    "loadavg",
    "meminfo",
    "netdev",
    "netstat",
    "sockstat",
    "stat",
    "vmstat",
}
"""Collectors that have something on every machine."""


def test_this_machine_is_measured_by_every_collector_that_is_on_and_none_complains() -> None:
    switches = dict(Settings().collect.collectors)
    done = run({name: make() for name, make in COLLECTORS.items() if switches[name].enabled}, 3)
    succeeded = {
        name for name in ALWAYS if done.series(f'node_scrape_collector_success{{collector="{name}"}}')[-1]
    }
    assert succeeded == ALWAYS
    assert {"node_load1", "node_time_seconds", "node_memory_MemTotal_bytes"} <= done.values()[-1].keys()


def test_collectors_come_and_go_between_two_passes_and_the_others_go_on() -> None:
    class Quiet:
        def collect(self, host: Host) -> Iterator[Block]:
            return iter(())

    kept, leaving, coming = Quiet(), Slow(), Slow()
    names: list[str] = []

    def changing(scrape: Scrape) -> None:
        if len(made.scrapes) == 3:
            held = made.loop.collectors
            made.loop.change({"coming": coming, "kept": held["kept"]})
            names.extend(made.loop.collectors)

    made = Run({"kept": kept, "leaving": leaving}, accept=changing)
    asyncio.run(made.until(6))
    assert names == ["coming", "kept"]
    assert made.series('node_scrape_collector_success{collector="kept"}') == [1] * 6
    assert made.series('node_scrape_collector_success{collector="leaving"}')[3:] == [None] * 3
    assert made.series('node_scrape_collector_success{collector="coming"}')[4:] == [1] * 2
    assert (leaving.closed, coming.closed) == (True, True)
    assert coming.asked == 1
    assert [scrape.timestamp for scrape in made.scrapes] == [
        made.scrapes[0].timestamp + 1000 * n for n in range(6)
    ]


def test_what_is_not_on_this_host_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gone = [fail(FileNotFoundError(2, "none"))] * 30
    run({"zfs": Source(*gone), "mine": Source(), "nfs": Source(*gone)}, 12)
    assert [record.getMessage() for record in caplog.records] == [
        "not on this host, and looked for now and then: zfs, nfs"
    ]


def test_what_was_there_and_is_gone_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run({"disk": Source(lambda: 1.0, fail(FileNotFoundError(2, "gone")))}, 3)
    assert [record.getMessage() for record in caplog.records] == ["collector disk: no data: [Errno 2] gone"]


def test_one_over_its_budget_is_slowed_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = Run({"dear": Source()})
    spent = iter(range(1000))
    made.loop._watch.cpu = lambda: next(spent) * 0.015
    asyncio.run(made.until(40))
    told = made.series('monitor_collector_slowdown{collector="dear"}')
    assert told == [None] * 10 + [2.0] * 30
    measured = [value is not None for value in made.series("one")]
    assert measured[:10] == [True] * 10
    assert measured[12:] in ([True, False] * 14, [False, True] * 14)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "collector dear: run 2 times less often, as it takes 15.0 ms of CPU in each second"
    assert made.series('monitor_collector_cpu_seconds_total{collector="dear"}')[-1] == pytest.approx(
        0.015 * 25
    )
