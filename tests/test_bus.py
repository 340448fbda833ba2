import asyncio
from collections.abc import Callable

import pytest

from monitor.bus import QUIET, Bus, Isolation
from monitor.model import Scrape

SCRAPE = Scrape(1000, (), ())


def test_every_subscriber_gets_every_scrape_until_it_leaves() -> None:
    bus, first, second = Bus(), list[Scrape](), list[Scrape]()
    leave = bus.subscribe(first.append)
    bus.subscribe(second.append)
    bus.publish(SCRAPE)
    leave()
    bus.publish(SCRAPE)
    assert (first, second) == ([SCRAPE], [SCRAPE, SCRAPE])


def test_a_subscriber_that_fails_does_not_stop_the_others(expect_log: Callable[[str], None]) -> None:
    expect_log("subscriber .* failed")
    bus, got = Bus(), list[Scrape]()

    def fail(_: Scrape) -> None:
        raise RuntimeError("broken")

    bus.subscribe(fail)
    bus.subscribe(got.append)
    bus.publish(SCRAPE)
    assert got == [SCRAPE]


def test_what_fails_is_said_once_a_minute_for_each_kind_of_work(
    expect_log: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    expect_log("failed; the others go on")
    now = [0.0]
    isolated = Isolation(lambda: now[0])
    for now[0] in (0.0, 30.0, QUIET, QUIET + 1):
        for work in ("a feed", "a session"):
            with isolated(work):
                raise ValueError("a fault of ours")
    assert [record.getMessage().split(" failed")[0] for record in caplog.records] == [
        "a feed",
        "a session",
    ] * 2
    assert all(record.exc_info for record in caplog.records)


def test_who_is_told_to_stop_stops() -> None:
    with pytest.raises(asyncio.CancelledError), Isolation()("a tick"):
        raise asyncio.CancelledError
