"""History given away is what history has, series by series, even while it is written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from monitor.formats import comma, openmetrics
from monitor.model import Kind, Labels, Metric, Track
from monitor.storage import Matcher
from monitor.storage.shelf import Shelf
from monitor.storage.tier import MINUTE, MINUTES, RAW, Entry
from monitor.storage.unload import Unload, Wanted
from tests.storage.slabs import DATABASE, HEAT, START, WEB, Held, expected, slabs
from tests.storage.test_store import HOST, Machine

ROWS = [
    *slabs(RAW, WEB, range(START + 7000, START + 30 * RAW.slot, 7000), 5),
    *slabs(RAW, DATABASE, range(START + 45_000, START + RAW.slot, 45_000), 2),
]


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    shelf = Shelf(folder)
    shelf.put(*ROWS, *slabs(MINUTES, WEB, range(START + MINUTE, START + 60 * MINUTE, MINUTE)))
    shelf.close()
    return folder


def samples(tracks: list[Track]) -> Held:
    """Each series' samples; they come in the order of time."""
    found: Held = {}
    for track in tracks:
        series = found.setdefault(track.labels, {})
        assert not series or max(series) < track.times[0]
        series.update(zip(track.times.tolist(), track.values[0].tolist(), strict=True))
    return found


def given(folder: Path, wanted: Wanted) -> list[Track]:
    unload = Unload(folder, wanted)
    tracks = [track for group in unload.groups(quiet) for track in group]
    unload.close()
    assert not unload.damage
    return tracks


def test_all_that_is_stored_is_given_series_by_series(folder: Path) -> None:
    tracks = given(folder, Wanted(RAW, ()))
    assert samples(tracks) == expected(ROWS)
    order = list(dict.fromkeys(track.labels for track in tracks))
    assert [track.labels for track in tracks] == sorted((t.labels for t in tracks), key=order.index)
    names = [track.metric.name for track in tracks]
    assert names == sorted(names)


def test_a_range_and_selectors_are_kept_to(folder: Path) -> None:
    start, end = START + 1_000_000, START + 3_000_000
    wanted = Wanted(RAW, [(Matcher("number", "=", "1"),), (Matcher("instance", "=", "db"),)], start, end)
    truth = {
        labels: {time: value for time, value in held.items() if start <= time <= end}
        for labels, held in expected(ROWS).items()
        if dict(labels)["number"] == "1" or dict(labels)["instance"] == "db"
    }
    assert samples(given(folder, wanted)) == {labels: held for labels, held in truth.items() if held}


def test_rolled_up_rows_are_given_whole(folder: Path) -> None:
    tracks = given(folder, Wanted(MINUTES, ()))
    assert samples(tracks) == expected(
        slabs(MINUTES, WEB, range(START + MINUTE, START + 60 * MINUTE, MINUTE))
    )
    assert {len(track.values) for track in tracks} == {6}


def test_what_is_in_no_file_yet_is_given_too_while_it_is_written(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "history")
    machine.run(2000, step=10_000)
    before = dict(machine.measured)
    unload = Unload(machine.folder, Wanted(RAW, ()))
    machine.run(1000, step=10_000)
    machine.store.writer.sync()
    machine.settle()
    found = samples([track for group in unload.groups(quiet) for track in group])
    unload.close()
    machine.stop()
    assert len(found) == 3
    for column, (name, of) in enumerate([("hits_total", "a"), ("hits_total", "b"), ("heat", "")]):
        labels: Labels = tuple(sorted({"__name__": name, **dict(HOST), **({"of": of} if of else {})}.items()))
        assert {time: row[column] for time, row in before.items()}.items() <= found[labels].items()
        assert found[labels].items() <= {time: row[column] for time, row in machine.measured.items()}.items()


WAIT = Metric("wait_seconds", Kind.HISTOGRAM, 'How long "it" takes.', "seconds")
ODD: Labels = (("__name__", "heat_celsius"), ("instance", 'a"b\\c\nd,e'), ("job", "ü"))


def histogram() -> list[Entry]:
    parts = [("_bucket", "0.1"), ("_bucket", "+Inf"), ("_sum", ""), ("_count", "")]
    return [
        Entry(
            tuple(sorted({"__name__": WAIT.name + part, **({"le": le} if le else {}), **dict(WEB)}.items())),
            WAIT,
        )
        for part, le in parts
    ]


def group() -> list[list[Track]]:
    times = np.array([1_764_000_000_000, 1_764_000_001_250], np.int64)
    parts = [
        Track(entry.labels, entry.metric, times, np.array([[place, place + 0.5]]))
        for place, entry in enumerate(histogram())
    ]
    odd = Track(ODD, HEAT, times, np.array([[np.nan, -np.inf]]))
    return [[odd], parts]


TEXT = r"""# HELP heat_celsius Heat, in °C.
# TYPE heat_celsius gauge
heat_celsius{instance="a\"b\\c\nd,e",job="ü"} NaN 1764000000
heat_celsius{instance="a\"b\\c\nd,e",job="ü"} -Inf 1764000001.250
# HELP wait_seconds How long \"it\" takes.
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{instance="web",job="node",le="0.1"} 0 1764000000
wait_seconds_bucket{instance="web",job="node",le="+Inf"} 1 1764000000
wait_seconds_sum{instance="web",job="node"} 2 1764000000
wait_seconds_count{instance="web",job="node"} 3 1764000000
wait_seconds_bucket{instance="web",job="node",le="0.1"} 0.5 1764000001.250
wait_seconds_bucket{instance="web",job="node",le="+Inf"} 1.5 1764000001.250
wait_seconds_sum{instance="web",job="node"} 2.5 1764000001.250
wait_seconds_count{instance="web",job="node"} 3.5 1764000001.250
# EOF
"""


def test_openmetrics_has_a_histogram_point_by_point() -> None:
    out = io.BytesIO()
    assert openmetrics.write(group(), out) == 10
    assert out.getvalue().decode() == TEXT


Read = dict[Labels, tuple[Metric, list[tuple[int, str]]]]


def read(tracks: list[Track]) -> Read:
    found: Read = {}
    for track in tracks:
        points = zip(track.times.tolist(), map(repr, track.values[0].tolist()), strict=True)
        found.setdefault(track.labels, (track.metric, []))[1].extend(points)
    return found


def test_openmetrics_reads_what_it_wrote() -> None:
    tracks = [track for tracks in group() for track in tracks]
    assert read(list(openmetrics.Reader(io.BytesIO(TEXT.encode()), "x").tracks())) == read(tracks)


def without_help() -> list[Track]:
    """The tracks of the group, as a table has them."""
    return [
        track._replace(metric=Metric(track.metric.name, track.metric.kind, "", track.metric.unit))
        for tracks in group()
        for track in tracks
    ]


def test_csv_reads_what_it_wrote() -> None:
    out = io.BytesIO()
    comma.write(group(), ["instance", "job", "le"], ["value"], out)
    lines = out.getvalue().decode().split("\r\n")
    assert lines[0] == "time,name,type,unit,value,label.instance,label.job,label.le"
    assert lines[3] == "2025-11-24T16:00:00.000Z,wait_seconds_bucket,histogram,seconds,0,web,node,0.1"
    found = read(list(comma.Reader(io.BytesIO(out.getvalue()), "x").tracks()))
    assert found == read(without_help())


def test_parquet_reads_what_it_wrote() -> None:
    from monitor.formats import parquet

    out = io.BytesIO()
    parquet.write(group(), ["instance", "job", "le"], ["value"], out)
    found = read(list(parquet.Reader(io.BytesIO(out.getvalue()), "x").tracks()))
    assert found == read(without_help())
