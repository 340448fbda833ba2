from collections.abc import Callable

from monitor.bus import Bus
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
