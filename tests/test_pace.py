"""What is done over and over comes right behind the passes, in their wake-ups."""

import asyncio
from contextlib import suppress
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.pace import BEHIND, LEAST, every, pause


@given(st.floats(0.01, 60), st.floats(1e9, 2e9))
def test_it_is_due_behind_a_whole_multiple_within_little_more_than_an_interval(
    interval: float, now: float
) -> None:
    left = pause(interval, now)
    assert LEAST * interval < left <= (1 + LEAST) * interval
    multiples = (now + left - BEHIND) / interval
    assert isclose(multiples, round(multiples), abs_tol=1e-4)


def test_one_who_wakes_early_waits_for_the_next() -> None:
    assert isclose(pause(1.0, 1_700_000_000.9995), 1.0015, abs_tol=1e-6)


@pytest.mark.gen_test
async def test_it_is_done_at_once_and_again() -> None:
    done: list[int] = []
    again = asyncio.Event()

    def work() -> None:
        done.append(1)
        if len(done) == 2:
            again.set()

    task = asyncio.create_task(every(lambda: 0.01, work))
    await again.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert len(done) == 2
