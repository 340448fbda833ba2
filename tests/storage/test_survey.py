"""What is kept, counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.storage.codec import encode, present
from monitor.storage.shelf import Shelf
from monitor.storage.survey import survey
from monitor.storage.tier import HOURS, MINUTES, RAW
from tests.storage.slabs import DATABASE, STALE, START, WEB, expected, slabs


def test_samples_and_bytes_are_those_of_the_files(tmp_path: Path) -> None:
    raw = slabs(RAW, WEB, range(START + 7000, START + 30 * RAW.slot, 7000), 5)
    raw += slabs(RAW, DATABASE, range(START + 45_000, START + RAW.slot, 45_000), 2)
    minutes = slabs(MINUTES, WEB, range(START + 60_000, START + 3_600_000, 60_000))
    shelf = Shelf(tmp_path)
    shelf.put(*raw, *minutes)
    shelf.close()
    seconds, minute, hour = survey(tmp_path, lambda done, total: None)
    assert (seconds.tier, minute.tier, hour.tier) == (RAW, MINUTES, HOURS)
    assert seconds.samples == sum(map(len, expected(raw).values()))
    assert (seconds.files, seconds.series) == (2, len(expected(raw)))
    assert seconds.rows == sum(len(slab.times) for slab in raw)
    assert (seconds.first, seconds.last) == (START + 7000, int(raw[29].times[-1]))
    assert seconds.bytes == sum(path.stat().st_size for path in tmp_path.glob("raw-*.db"))
    assert set(seconds.metrics) == {"cpu_seconds_total", "heat_celsius"}
    assert 0 < sum(seconds.metrics.values()) < seconds.bytes
    assert minute.samples == sum(map(len, expected(minutes).values()))
    assert (hour.files, hour.first, hour.samples, hour.per_sample) == (0, None, 0, None)


@given(st.lists(st.sampled_from([STALE, 1.0, 2.5]), min_size=1, max_size=700))
def test_a_cell_tells_how_many_samples_it_has(values: list[float]) -> None:
    column = np.array(values)
    stale = sum(value != value for value in values)
    assert present(encode(column), len(values)) == len(values) - stale
