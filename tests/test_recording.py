"""A recording of this host, and how it goes on after its end."""

import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from benchmarks import pages, record
from benchmarks.pages import Columns
from benchmarks.past import Past
from benchmarks.recording import Recording, copied, load
from benchmarks.target import serving
from monitor.model import Floats, Kind, Metric

PAGE = """\
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} 12.5
# TYPE lag histogram
lag_bucket{le="+Inf"} 3
odd{path="a \\"b\\" {c}"} 1e-07
broken NaN
"""


def made(*columns: tuple[Kind, list[float]]) -> Recording:
    entries = [Metric(f"m{place}", kind, "").at() for place, (kind, _) in enumerate(columns)]
    return Recording(entries, np.array([values for _, values in columns]).T, {})


def test_a_gauge_is_played_forth_and_back() -> None:
    recording = made((Kind.GAUGE, [5.0, 1.0, 9.0]))
    assert recording.rows(0, 8)[:, 0].tolist() == [5, 1, 9, 1, 5, 1, 9, 1]


def test_a_counter_goes_on_by_the_same_steps_and_stays_decimal() -> None:
    recording = made((Kind.COUNTER, [0.1, 0.3, 0.3, 0.7]))
    assert recording.rows(0, 8)[:, 0].tolist() == [0.1, 0.3, 0.3, 0.7, 1.1, 1.1, 1.3, 1.5]


def test_what_is_no_decimal_number_goes_on_as_well() -> None:
    recording = made((Kind.COUNTER, [0.0, 1 / 3, 2 / 3]))
    assert (np.diff(recording.rows(0, 20)[:, 0]) == pytest.approx(1 / 3)) is True


def test_rows_are_the_same_wherever_reading_begins() -> None:
    draw = np.random.default_rng(1)
    recording = made(
        (Kind.GAUGE, list(draw.random(7))), (Kind.COUNTER, list(np.cumsum(draw.integers(9, size=7))))
    )
    whole = recording.rows(0, 40)
    assert np.array_equal(recording.rows(11, 5), whole[11:16])
    assert np.array_equal(np.concatenate([rows for _, rows in recording.hours(40 / 3600, 9)]), whole)


def test_a_recording_is_kept_to_the_last_bit(tmp_path: Path) -> None:
    recording = made((Kind.GAUGE, [-0.0, 1e-300, 2.0]), (Kind.COUNTER, [1.0, 2.0, 3.0]))
    recording.save(tmp_path / "kept.npz")
    again = load(tmp_path / "kept.npz")
    assert again.entries == recording.entries
    assert again.values.tobytes() == np.ascontiguousarray(recording.values).tobytes()


def test_a_page_becomes_series_with_their_metrics() -> None:
    columns = Columns()
    columns.add(PAGE)
    columns.add(PAGE.replace("12.5", "13"))
    entries, values = columns.whole()
    assert [series.name for _, series in entries] == ["node_cpu_seconds_total", "lag_bucket", "odd"]
    assert [metric.kind for metric, _ in entries] == [Kind.COUNTER, Kind.HISTOGRAM, Kind.UNKNOWN]
    assert entries[0][1].labels == (("cpu", "0"), ("mode", "idle"))
    assert entries[2][1].labels == (("path", 'a "b" {c}'),)
    assert values.tolist() == [[12.5, 3, 1e-07], [13, 3, 1e-07]]


def test_kept_pages_are_read_up_to_one_cut_off(tmp_path: Path) -> None:
    packed = pages.packed(1_000, PAGE)
    (tmp_path / "pages").write_bytes(packed + packed[:-1])
    assert list(pages.read(tmp_path / "pages")) == [PAGE]


def test_this_host_is_recorded() -> None:
    entries, values = record.taken(3, 0.0)
    assert values.shape == (3, len(entries))
    assert {"node_load1", "node_cpu_seconds_total"} <= {series.name for _, series in entries}


def test_as_many_vary_as_were_met_or_as_asked_for() -> None:
    entries = [Metric(f"m{place}", Kind.GAUGE, "").at() for place in range(40)]
    values: Floats = np.zeros((4, 40))
    values[1, :10] = 1
    assert record.chosen(entries, values, 20).varying == 5
    assert record.chosen(entries, values, 10, share=0.8).varying == 8


def test_a_counter_that_was_reset_goes_on_from_where_it_was() -> None:
    entries = [Metric("c", Kind.COUNTER, "").at(), Metric("g", Kind.GAUGE, "").at()]
    found = record.unreset(entries, np.array([[5.0, 5], [7, 7], [1, 1], [2, 2]]))
    assert found.T.tolist() == [[5, 7, 7, 8], [5, 7, 1, 2]]


def test_copies_of_a_series_are_told_apart_by_a_label() -> None:
    twice = copied(made((Kind.GAUGE, [1.0, 2.0])), 2)
    assert [series.labels for _, series in twice.entries] == [(("copy", "0"),), (("copy", "1"),)]
    assert twice.rows(1, 1).tolist() == [[2, 2]]


def test_a_past_names_as_many_series_as_are_asked_for() -> None:
    entries = [Metric(name, Kind.GAUGE, "").at(n=str(n)) for name in "abc" for n in range(2 + (name == "c"))]
    past = Past(Recording(entries, np.array([range(7), range(1, 8)], np.float64), {}), 1_000, 1 / 3600)
    assert past.some(5) == ["a", "c"]
    assert past.some(2) == ["a"]
    assert (past.samples, past.end) == (7, 1_000)
    assert dict(past.varying())["job"] == "bench"


def test_what_a_target_served_is_counted_by_who_asked() -> None:
    with serving(made((Kind.GAUGE, [1.5, 1.5]))) as target:
        began = time.time()
        with urlopen(f"http://127.0.0.1:{target.port}/someone") as answer:
            assert answer.read() == b"# TYPE m0 gauge\nm0 1.5\n"
        assert target.between("someone", began - 1, began + 60) == 1
        assert target.between("another", began - 1, began + 60) == 0
