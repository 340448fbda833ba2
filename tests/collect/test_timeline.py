"""When to measure, under clocks that do what clocks do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect.timeline import Timeline
from tests.collect.clock import START, Clock
from tests.conftest import ExpectLog


def due(timeline: Timeline, clock: Clock) -> int:
    """The timestamp of the next tick, having waited for it."""
    while (wait := timeline.wait()) > 0:
        clock.pass_by(wait)
    return timeline.tick().timestamp


def timestamps(timeline: Timeline, clock: Clock, count: int) -> list[int]:
    return [due(timeline, clock) for _ in range(count)]


def test_instants_are_whole_multiples_of_the_interval_on_the_wall_clock() -> None:
    clock = Clock(START + 0.3)
    first = int(START) * 1000
    assert timestamps(Timeline(1, clock.wall, clock.monotonic), clock, 3) == [
        first + 1000,
        first + 2000,
        first + 3000,
    ]
    clock = Clock(START + 0.3)
    assert timestamps(Timeline(0.25, clock.wall, clock.monotonic), clock, 2) == [first + 500, first + 750]


def test_instants_that_went_by_are_left_out_and_counted() -> None:
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    before = due(timeline, clock)
    clock.pass_by(4.5)
    tick = timeline.tick()
    assert (tick.timestamp - before, tick.missed) == (4000, 3)


def test_a_pass_that_is_late_by_less_than_an_interval_keeps_its_instant() -> None:
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    before = due(timeline, clock)
    clock.pass_by(1.9)
    tick = timeline.tick()
    assert (tick.timestamp - before, tick.missed) == (1000, 0)


def test_a_step_forward_of_the_wall_clock_is_followed_and_leaves_a_gap() -> None:
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    before = due(timeline, clock)
    clock.set_by(3600)
    tick = timeline.tick()
    assert (tick.timestamp - before, tick.missed) == (3_600_000, 3599)
    assert timeline.ahead == 0
    assert due(timeline, clock) == tick.timestamp + 1000


def test_a_step_back_is_not_followed_and_told_once(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("set back by 3600.000 s")
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    before = due(timeline, clock)
    clock.set_by(-3600)
    assert timestamps(timeline, clock, 3) == [before + 1000, before + 2000, before + 3000]
    assert timeline.ahead == pytest.approx(3600)
    assert len(caplog.records) == 1


def test_a_clock_that_was_set_right_again_is_followed_again(
    expect_log: ExpectLog, caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("set back")
    caplog.set_level(logging.INFO)
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    clock.set_by(-60)
    due(timeline, clock)
    clock.set_by(60)
    due(timeline, clock)
    assert timeline.ahead == 0
    assert caplog.messages[-1] == "the clock has caught up with the timestamps"


def test_a_clock_that_slips_back_a_little_is_followed() -> None:
    clock = Clock(START)
    timeline = Timeline(1, clock.wall, clock.monotonic)
    before = due(timeline, clock)
    for _ in range(10):
        clock.set_by(-0.2)
        assert due(timeline, clock) == (before := before + 1000)
        assert clock.wall() * 1000 == pytest.approx(before)
    assert timeline.ahead == 0


@contextmanager
def quiet() -> Iterator[None]:
    """Steps back are logged, which other tests look at."""
    logger = logging.getLogger("monitor.collect.timeline")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


@given(
    interval=st.sampled_from([0.1, 0.5, 1.0, 15.0]),
    moves=st.lists(st.tuples(st.floats(0, 100), st.floats(-5000, 5000)), max_size=30),
)
def test_timestamps_always_grow_by_whole_intervals(interval: float, moves: list[tuple[float, float]]) -> None:
    clock = Clock(START)
    timeline = Timeline(interval, clock.wall, clock.monotonic)
    last = due(timeline, clock)
    with quiet():
        for passed, step in moves:
            clock.pass_by(passed)
            clock.set_by(step)
            while (wait := timeline.wait()) > 0:
                clock.pass_by(wait)
            tick = timeline.tick()
            assert tick.timestamp > last
            assert tick.timestamp % timeline.interval == 0
            assert tick.missed == (tick.timestamp - last) // timeline.interval - 1
            last = tick.timestamp
