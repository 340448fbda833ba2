"""Every benchmark runs and gives rows that make sense; how fast anything is, no test judges."""

import json
import math
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.options import Options
from benchmarks.row import Row, number, table

SMALL = Options(
    runs=1,
    clients=(3,),
    boards=2,
    stalled=3,
    stalled_seconds=1,
    seconds=1.5,
    settle=0.5,
    minutes=0.01,
    passes=3,
    pace=0.0,
    processes=5,
    rows=20,
    queries=2,
    idle=(0, 2),
    crowd=4,
    soak=0.02,
    recorded=5,
    interval=0.0,
    hours=0.02,
    live=0.003,
    anchors=("Prometheus",),
    slot=25,
    copies=1,
    kills=1,
    calm=0.1,
    visitors=100_000,
    age=0.001,
    agents=1,
    beside=("node_exporter",),
)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_gives_rows_that_make_sense(name: str) -> None:
    rows = list(BENCHMARKS[name](SMALL))
    assert rows
    for row in rows:
        assert row.name
        assert row.unit
        assert math.isfinite(row.ours)
        assert (row.baseline is None) is (not row.against)
        assert row.baseline is None or row.baseline >= 0


def test_a_figure_is_met_when_every_aim_is_reached() -> None:
    assert Row("a", 1.0, "us").met is None
    assert Row("a", 1.0, "us", most=1.0).met is True
    assert Row("a", 1.1, "us", most=1.0).met is False
    assert Row("a", 1.0, "us", "b", 4.0, ratio_most=0.25).met is True
    assert Row("a", 1.0, "us", "b", 3.0, ratio_most=0.25).met is False
    assert Row("a", 1.0, "us", "b", 4.0, most=0.5, ratio_most=0.25).met is False


def test_the_table_is_markdown_with_columns_in_line() -> None:
    lines = table(
        [Row("a tick", 1234.5, "us", "json", 500.0, ratio_most=3), Row("b", 0.25, "s")]
    ).splitlines()
    assert lines == [
        "| what   | ours  | unit | baseline | is  | ratio | aim       | met |",
        "| ------ | ----- | ---- | -------- | --- | ----- | --------- | --- |",
        "| a tick | 1,234 | us   | json     | 500 | 2.47  | ratio ≤ 3 | yes |",
        "| b      | 0.25  | s    |          |     |       |           |     |",
    ]


def test_a_number_is_shown_with_the_figures_that_count() -> None:
    assert [number(value) for value in (None, 0.0123456, 12.3456, 99.96, 1234567.0)] == [
        "",
        "0.0123",
        "12.3",
        "100",
        "1,234,567",
    ]


def test_the_command_prints_the_table_and_writes_the_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row("a tick", 2.0, "us", "json", 4.0, ratio_most=1)
    monkeypatch.setitem(BENCHMARKS, "tick", lambda _options: iter([row]))
    assert main(["--only", "tick", "--json", str(tmp_path / "rows.json")]) == 0
    assert "| a tick | 2    | us   | json     | 4  | 0.5   | ratio ≤ 1 | yes |" in capsys.readouterr().out
    assert json.loads((tmp_path / "rows.json").read_text())[0]["ratio"] == 0.5
