"""Which series of rows that are in no file yet are wanted."""

import numpy as np

from monitor.model import Kind, Labels, Metric
from monitor.storage import Matcher
from monitor.storage.open import Open
from monitor.storage.sources import Matched
from monitor.storage.tier import MINUTES, Entry

TARGET: Labels = (("job", "test"),)
WANTED = (Matcher("cpu", "=~", "1|2"),)


def entries(*cpus: str) -> list[Entry]:
    metric = Metric("busy", Kind.GAUGE, "")
    return [Entry((("__name__", "busy"), ("cpu", cpu), ("job", "test")), metric) for cpu in cpus]


def grown(opened: Open, time: int, *cpus: str) -> None:
    places = opened.place(entries(*cpus))
    opened.append(time, places, np.zeros((len(MINUTES.aspects), len(cpus))))


def test_columns_are_worked_out_once_while_the_series_are_the_same() -> None:
    opened, matched = Open(MINUTES, TARGET, 0), Matched()
    grown(opened, 60_000, "0", "1")
    first = matched.columns(opened.slabs[0], WANTED)
    grown(opened, 120_000, "0", "1")
    assert first.tolist() == [1]
    assert matched.columns(opened.slabs[0], WANTED) is first


def test_a_series_that_comes_is_found() -> None:
    opened, matched = Open(MINUTES, TARGET, 0), Matched()
    grown(opened, 60_000, "0", "1")
    assert matched.columns(opened.slabs[0], WANTED).tolist() == [1]
    grown(opened, 120_000, "2", "0")
    assert matched.columns(opened.slabs[0], WANTED).tolist() == [1, 2]


def test_slots_and_matchers_are_told_apart_and_the_oldest_forgotten() -> None:
    matched = Matched(most=1)
    for slot, cpus in enumerate((("1", "0"), ("0", "1"))):
        opened = Open(MINUTES, TARGET, slot)
        grown(opened, 60_000, *cpus)
        assert matched.columns(opened.slabs[0], WANTED).tolist() == [slot]
        assert matched.columns(opened.slabs[0], ()).tolist() == [0, 1]
