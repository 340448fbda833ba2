"""What collectors take, and how often each may be run."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import Host
from monitor.collect.budget import FIRST, STEPS, Budget, Meter, Metered, Watch, planned
from monitor.collect.loop import Direct
from monitor.model import Block, Kind, Layout, Metric

BUDGET = Budget(each=0.01, total=0.03)
ONE = Layout([Metric("one", Kind.COUNTER, "One.").at()])


def test_who_keeps_to_it_is_run_in_each_pass() -> None:
    assert planned({"cpu": 0.002, "stat": 0.01}, {}, BUDGET) == {"cpu": 1, "stat": 1}


def test_who_takes_too_much_is_run_as_often_as_it_can_be_afforded() -> None:
    assert planned({"slow": 0.011, "slower": 0.06, "worst": 9.0}, {}, Budget(0.01, 1)) == {
        "slow": 2,
        "slower": 10,
        "worst": 60,
    }


def test_many_that_keep_to_it_may_be_too_much_together() -> None:
    steps = planned({"a": 0.009, "b": 0.008, "c": 0.007, "d": 0.01}, {}, BUDGET)
    assert steps == {"a": 1, "b": 1, "c": 1, "d": 2}


def test_who_was_slowed_is_run_more_often_only_where_there_is_room() -> None:
    assert planned({"cpu": 0.0099}, {"cpu": 2}, BUDGET) == {"cpu": 2}
    assert planned({"cpu": 0.0079}, {"cpu": 2}, BUDGET) == {"cpu": 1}
    assert planned({"cpu": 0.021}, {"cpu": 2}, BUDGET) == {"cpu": 5}


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 5)),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(STEPS)),
)
def test_plans_keep_to_the_budget_or_cannot(loads: dict[str, float], before: dict[str, int]) -> None:
    steps = planned(loads, before, BUDGET)
    over = [name for name, load in loads.items() if load / steps[name] > BUDGET.each]
    assert all(steps[name] == STEPS[-1] for name in over)
    total = sum(load / steps[name] for name, load in loads.items())
    assert total <= BUDGET.total or all(each == STEPS[-1] for each in steps.values())


def test_the_first_runs_say_nothing_of_the_next_and_one_outlier_little() -> None:
    meter = Meter()
    for seconds in (0.5, 0.5, 0.5, 0.001, 0.001):
        meter.note(seconds)
    assert meter.typical == pytest.approx(0.001)
    meter.note(0.021)
    assert meter.typical == pytest.approx(0.005)
    assert meter.total == pytest.approx(1.523)


class Spending:
    """A source that takes CPU by a clock that the test moves."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.runs = 0

    def collect(self, host: Host) -> Iterator[Block]:
        self.runs += 1
        self.cpu += 0.03
        yield Block(ONE, [float(self.runs)])


def test_a_slowed_one_is_left_out_between_its_runs() -> None:
    source = Spending()
    watch = Watch(lambda: 0.0, lambda: source.cpu)
    direct = Direct("spending", source, Host(), watch, 1.0, 1000)
    direct.step = 5
    given = {second: [block.values for block in direct.measured(second * 1000)] for second in range(12)}
    assert {second: values for second, values in given.items() if values} == {
        0: [[1.0]],
        5: [[2.0]],
        10: [[3.0]],
    }
    assert direct.health.good
    assert direct.meter.total == pytest.approx(0.09)
    assert FIRST == 3 > source.runs - 1


def test_what_a_coroutine_takes_is_counted_without_what_it_waits_for() -> None:
    clock = [0.0]

    async def work() -> str:
        clock[0] += 1
        await asyncio.sleep(0)
        clock[0] += 2
        return "done"

    async def meanwhile() -> None:
        clock[0] += 40

    async def both() -> tuple[str, float]:
        metered = Metered(work(), lambda: clock[0])
        other = asyncio.create_task(meanwhile())
        result = await metered
        await other
        return result, metered.spent

    assert asyncio.run(both()) == ("done", 3.0)


def test_a_coroutine_that_is_given_up_ends_and_its_time_counts() -> None:
    clock, ended = [0.0], []

    async def work() -> None:
        clock[0] += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            clock[0] += 1
            ended.append(True)

    async def give_up() -> float:
        metered = Metered(work(), lambda: clock[0])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await metered
        return metered.spent

    assert asyncio.run(give_up()) == 2.0
    assert ended
