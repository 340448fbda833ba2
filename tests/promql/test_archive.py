"""What memory has is asked for at once; the rest is read by threads, a few at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from monitor.promql import Archive, AwayError, QueryError, evaluate, parse
from monitor.promql.archive import MOST, THREADS
from monitor.storage import Storage
from monitor.storage.head import Head
from tests.promql.stores import store

NEAR, FAR = Head(), Head()
LONG = 60.0
"""Seconds that nobody waits here."""


@pytest.fixture
def archive() -> Iterator[Archive]:
    found = Archive(NEAR, FAR)
    yield found
    found.close()


class Gate:
    """Work that waits for leave."""

    def __init__(self) -> None:
        self.leave = threading.Event()
        self.begun: list[Storage] = []

    def __call__(self, storage: Storage) -> str:
        self.begun.append(storage)
        assert self.leave.wait(LONG)
        return "done"


def test_memory_has_what_is_not_older_than_its_oldest() -> None:
    held = Archive(store("up 1 1 1 1", 1000), FAR, window=60_000)
    assert [held.has(time, 9) for time in (-1, 0, 9)] == [False, True, True]
    assert not Archive(NEAR, FAR).has(0, 9), "while it is empty it has nothing"
    assert Archive(NEAR).has(0, 9), "where there is nothing else, it has all there is"


def test_memory_lacks_what_was_stored_by_a_clock_that_was_ahead() -> None:
    held = Archive(store("up 1 1 1 1", 1000), FAR, strays=(10_000, 20_000))
    asked = ((0, 9_999), (0, 10_000), (15_000, 16_000), (20_000, 30_000), (20_001, 30_000))
    assert [held.has(*ends) for ends in asked] == [True, False, False, False, True]


def test_memory_keeps_what_is_not_older_than_its_window() -> None:
    held = Archive(NEAR, FAR, window=60_000)
    assert [held.keeps(time, 70_000) for time in (9_999, 10_000)] == [False, True]


@pytest.mark.gen_test
async def test_a_reader_has_everything_and_is_no_hindrance(archive: Archive) -> None:
    gate = Gate()
    reading = asyncio.create_task(archive.read(gate, LONG))
    await asyncio.sleep(0)
    gate.leave.set()
    assert await reading == "done"
    assert gate.begun == [FAR]


@pytest.mark.gen_test
async def test_what_a_query_lacks_is_said_to_who_asks(archive: Archive) -> None:
    with pytest.raises(ValueError, match="zero"):
        await archive.read(lambda storage: evaluate(parse("up"), storage, 0, 0, 0), LONG)


@pytest.mark.gen_test
async def test_more_than_can_wait_are_refused(archive: Archive) -> None:
    gate = Gate()
    reading = [asyncio.create_task(archive.read(gate, LONG)) for _ in range(MOST)]
    await asyncio.sleep(0)
    with pytest.raises(AwayError, match="too many"):
        await archive.read(gate, LONG)
    gate.leave.set()
    assert await asyncio.gather(*reading) == ["done"] * MOST
    assert await archive.read(gate, LONG) == "done"


@pytest.mark.gen_test
async def test_who_goes_away_gives_up_the_place(archive: Archive) -> None:
    gate = Gate()
    reading = [asyncio.create_task(archive.read(gate, LONG)) for _ in range(MOST)]
    await asyncio.sleep(0)
    for each in reading:
        each.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    gate.leave.set()
    assert await archive.read(gate, LONG) == "done"
    assert len(gate.begun) <= THREADS + 1


@pytest.mark.gen_test
async def test_what_waited_too_long_is_not_begun() -> None:
    times = iter((0.0, 0.0, 1.0, 7.0))
    archive = Archive(NEAR, FAR, clock=lambda: next(times))
    assert await archive.read(lambda _: "done", 5) == "done"
    with pytest.raises(AwayError, match="too many"):
        await archive.read(lambda _: "done", 5)
    archive.close()


@pytest.mark.gen_test
async def test_a_disk_that_does_not_answer_is_not_waited_for() -> None:
    # By this clock the work begins in time, though who asks has no more than 10 ms of patience.
    times = iter((0.0, -1.0))
    archive = Archive(NEAR, FAR, clock=lambda: next(times))
    gate = Gate()
    with pytest.raises(AwayError, match="ask again"):
        await archive.read(gate, -0.495)
    gate.leave.set()
    archive.close()


@pytest.mark.gen_test
async def test_history_that_cannot_be_read_is_told_and_logged(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Storage) -> str:
        raise OSError("disk gone")

    caplog.set_level(logging.CRITICAL, "monitor.promql.archive")
    with pytest.raises(AwayError, match="at present: disk gone"):
        await archive.read(fail, LONG)


async def answered(archive: Archive, work: Callable[[Storage], str]) -> str | QueryError:
    future: asyncio.Future[str | QueryError] = asyncio.get_running_loop().create_future()
    archive.begin(work, LONG, future.set_result)
    assert not future.done(), "an answer comes in a later turn"
    return await future


@pytest.mark.gen_test
async def test_an_answer_may_be_given_later(archive: Archive) -> None:
    assert await answered(archive, lambda storage: type(storage).__name__) == "Head"


@pytest.mark.gen_test
async def test_a_refusal_is_an_answer_too(archive: Archive) -> None:
    gate = Gate()
    reading = [asyncio.create_task(archive.read(gate, LONG)) for _ in range(MOST)]
    await asyncio.sleep(0)
    assert isinstance(await answered(archive, gate), AwayError)
    gate.leave.set()
    await asyncio.gather(*reading)


@pytest.mark.gen_test
async def test_a_fault_of_ours_is_answered_and_logged(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Storage) -> str:
        raise ZeroDivisionError

    assert isinstance(await answered(archive, fail), AwayError)
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    caplog.clear()


def test_memory_has_all_while_there_is_nothing_older() -> None:
    near = store("up 1 1 1", 1000, head=Head())
    oldest = near.oldest()
    assert oldest is not None
    begins = oldest
    archive = Archive(near, Head(), begins=lambda: begins)
    assert archive.has(oldest - 300_000, oldest)
    begins = oldest - 1
    assert not archive.has(oldest - 300_000, oldest)
    assert archive.has(oldest, oldest)
    archive.close()
