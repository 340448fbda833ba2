"""What is measured now and then."""

import pytest

from monitor.collect import Host
from monitor.collect.seldom import Seldom
from monitor.model import Block, Kind, Layout, Metric

ONE = Layout([Metric("one", Kind.GAUGE, "One.").at()])


class Counted:
    """Measures how often it was asked; fails the first time where told to."""

    def __init__(self, fails: bool = False) -> None:
        self.asked = 0
        self._fails = fails

    def __call__(self, _host: Host) -> list[Block]:
        self.asked += 1
        if self._fails and self.asked == 1:
            raise FileNotFoundError("info")
        return [Block(ONE, [float(self.asked)])]


def test_what_was_measured_stands_until_its_time_is_over() -> None:
    host, measure = Host(), Counted()
    seldom = Seldom(measure, every=10)
    found: list[float] = []
    for now in (100, 101, 109, 110, 111, 119, 125, 134):
        host.fresh(now)
        (block,) = seldom.blocks(host)
        found += block.values
    assert found == [1, 1, 1, 2, 2, 2, 3, 3]


def test_what_failed_is_measured_in_the_next_pass() -> None:
    host, measure = Host(), Counted(fails=True)
    seldom = Seldom(measure, every=10)
    host.fresh(100)
    with pytest.raises(FileNotFoundError):
        seldom.blocks(host)
    host.fresh(101)
    assert [block.values for block in seldom.blocks(host)] == [[2.0]]
