"""What was, held for good."""

import numpy as np
import pytest

from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.storage import Matcher
from monitor.storage.head import Head
from monitor.storage.snapshot import Snapshot

CPU = Metric("cpu", Kind.COUNTER, "CPU.", "seconds")
TARGET = (("job", "node"),)
BOTH = Layout([CPU.at(core="0"), CPU.at(core="1")])
ONE = Layout([CPU.at(core="0")])
EVER = 2**53


@pytest.fixture
def head() -> Head:
    """Three rows; the second core has gone in the last."""
    head = Head()
    for time, block in ((10, Block(BOTH, [1, 5])), (20, Block(BOTH, [2, 6])), (30, Block(ONE, [3]))):
        head.append(Scrape(time, TARGET, (block,)))
    return head


def taken(head: Head) -> Snapshot:
    (held,) = head.select((), -EVER, EVER)
    return Snapshot(held, head.metadata())


def test_it_has_what_there_was_and_nothing_that_came_later(head: Head) -> None:
    snapshot = taken(head)
    head.append(Scrape(40, TARGET, (Block(ONE, [4]),)))
    (found,) = snapshot.select((Matcher("core", "=", "0"),), -EVER, EVER)
    assert found.timestamps.tolist() == [10, 20, 30]
    assert found.values.tolist() == [[1], [2], [3]]
    assert found.series.labels == ((("__name__", "cpu"), ("core", "0"), ("job", "node")),)
    assert (snapshot.oldest(), snapshot.newest()) == (10, 30)
    assert snapshot.metadata() == {"cpu": CPU}


def test_a_range_is_cut_out_of_it(head: Head) -> None:
    (found,) = taken(head).select((Matcher("__name__", "=~", "c.*"),), 15, 20)
    assert found.values.tolist() == [[2, 6]]
    assert taken(head).select((), 31, 99) == []
    assert taken(head).select((Matcher("core", "=", "7"),), 0, 99) == []


def test_a_series_is_told_of_where_it_has_a_sample(head: Head) -> None:
    snapshot = taken(head)
    assert [dict(labels)["core"] for labels in snapshot.series((), 0, 20)] == ["0", "1"]
    assert [dict(labels)["core"] for labels in snapshot.series((), 30, 30)] == ["0"]


def test_it_holds_numbers_of_its_own_and_takes_no_more(head: Head) -> None:
    (held,) = head.select((), -EVER, EVER)
    snapshot = Snapshot(held, head.metadata())
    (found,) = snapshot.select((), -EVER, EVER)
    assert not np.shares_memory(found.rows, held.rows)
    assert snapshot.memory == 3 * 2 * 8 + 3 * 8
    with pytest.raises(ValueError, match="takes no scrape"):
        snapshot.append(Scrape(40, TARGET, ()))
