"""What is kept of the past, by commands: copied, brought back, verified, mended, counted."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.formats import comma, parquet
from monitor.storage.shelf import Shelf
from monitor.storage.store import locked
from monitor.storage.tier import RAW
from monitor.terminal.progress import Bar
from tests.conftest import ExpectLog
from tests.storage.slabs import START, WEB, all_of, expected, slabs

Output = pytest.CaptureFixture[str]
ROWS = slabs(RAW, WEB, range(START + 45_000, START + 4 * RAW.slot, 45_000), 60)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with a little history."""
    folder = tmp_path / "state" / "history"
    folder.mkdir(parents=True)
    shelf = Shelf(folder)
    shelf.put(*ROWS)
    shelf.close()
    return tmp_path / "state"


def run(*arguments: object) -> int:
    return main([str(each) for each in arguments])


def damage(state: Path) -> None:
    [path] = (state / "history").glob("raw-*.db")
    content = bytearray(path.read_bytes())
    content[-40] ^= 0xFF
    path.write_bytes(content)


def test_a_backup_is_brought_back(state: Path, tmp_path: Path, capsys: Output) -> None:
    assert run("backup", tmp_path / "copy", "--state", state) == 0
    assert "1 file" in capsys.readouterr().out
    assert run("restore", tmp_path / "copy", "--state", tmp_path / "new") == 0
    assert "restored, 1 file and 0 logs verified" in capsys.readouterr().out
    shelf = Shelf(tmp_path / "new" / "history")
    assert all_of(shelf) == expected(ROWS)
    shelf.close()


def test_what_is_damaged_in_a_backup_is_said_and_the_rest_is_brought_back(
    state: Path, tmp_path: Path, capsys: Output
) -> None:
    damage(state)
    assert run("backup", tmp_path / "copy", "--state", state) == 0
    assert run("restore", tmp_path / "copy", "--state", tmp_path / "new") == 1
    assert "damaged in the backup: raw-00120000.db: " in capsys.readouterr().out


def test_a_check_says_by_its_status_whether_all_is_whole(
    state: Path, capsys: Output, expect_log: ExpectLog
) -> None:
    assert run("storage", "check", "--state", state) == 0
    assert capsys.readouterr().out == "1 file and 0 logs verified: all is whole\n"
    damage(state)
    assert run("storage", "check", "--state", state) == 1
    assert 'damaged: raw-00120000.db: heat_celsius{instance="web"' in capsys.readouterr().out
    assert run("storage", "check", "--repair", "--state", state) == 0
    expect_log("is damaged: it is set aside")
    assert "repaired: 1 written anew without what is named above" in capsys.readouterr().out
    assert run("storage", "check", "--state", state) == 0


def test_nothing_is_mended_while_a_service_runs(state: Path, capsys: Output) -> None:
    lock = open(locked(state / "history"))  # noqa: PTH123, SIM115
    assert run("storage", "check", "--repair", "--state", state) == 1
    assert "is in use by another process" in capsys.readouterr().err
    assert run("storage", "check", "--state", state) == 0
    lock.close()


def test_history_is_counted_for_people_and_programs(state: Path, capsys: Output) -> None:
    assert run("storage", "stats", "--state", state) == 0
    text = capsys.readouterr().out
    assert "raw      7 d 0 h" in text
    assert "of at most 2.0 GiB" in text
    assert "most of raw: " in text
    assert run("storage", "stats", "--json", "--state", state) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["retention"] == {"raw": 604_800, "minutes": 7_776_000, "hours": 157_766_400, "size": 2 << 30}
    raw, _, hours = told["tiers"]
    assert raw["samples"] == sum(map(len, expected(ROWS).values()))
    assert hours["bytes_per_sample"] is None


@pytest.mark.parametrize("command", [("backup", "{}/copy"), ("storage", "check"), ("storage", "stats")])
def test_who_has_no_history_is_told_where_it_is_looked_for(
    command: tuple[str, ...], tmp_path: Path, capsys: Output
) -> None:
    words = [each.format(tmp_path) for each in command]
    assert run(*words, "--state", tmp_path / "none") == 1
    assert (
        f"there is no history in {tmp_path / 'none' / 'history'}; say with --state" in capsys.readouterr().err
    )


def test_ctrl_c_says_how_things_are(
    state: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(bar: Bar, done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "__call__", stop)
    assert run("backup", tmp_path / "copy", "--state", state) == 130
    assert "monitor: stopped; what was copied before is whole; run it again" in capsys.readouterr().err


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_alone_and_not_too_often() -> None:
    times = iter(range(1000))
    for screen in (Screen(), io.StringIO()):
        with Bar("copying", screen, lambda: 0.03 * next(times)) as bar:
            for done in range(101):
                bar(done, 100)
        drawn = screen.getvalue().split("\r\x1b[K")[1:]
        if isinstance(screen, Screen):
            assert 24 <= len(drawn) <= 27
            assert drawn[-1] == ""
            assert drawn[12] == "copying  [" + "#" * 14 + "-" * 16 + "]  48%"
        else:
            assert screen.getvalue() == ""


def export(state: Path, *arguments: object) -> int:
    return run("export", *arguments, "--state", state)


def test_prometheus_reads_what_is_exported(state: Path, tmp_path: Path, capsys: Output) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    assert export(state, "--format", "openmetrics", tmp_path / "out.txt") == 0
    count = sum(map(len, expected(ROWS).values()))
    assert capsys.readouterr().err == f"monitor: {count} samples written\n"
    made = ("tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "out.txt"), str(tmp_path / "data"))
    subprocess.run([promtool, *made], check=True, capture_output=True)
    (tmp_path / "data" / "wal").mkdir()  # The dump asks for a write-ahead log, though it be empty.
    dumped = subprocess.run(
        [promtool, "tsdb", "dump", str(tmp_path / "data")], check=True, capture_output=True, text=True
    ).stdout
    lines = [line.rsplit(" ", 2) for line in dumped.splitlines()]
    assert len(lines) == count
    found: dict[tuple[str, str], float] = {(labels, time): float(value) for labels, value, time in lines}
    for labels, samples in expected(ROWS).items():
        text = "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
        assert {(text, str(time)): value for time, value in samples.items()}.items() <= found.items()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_exported(state: Path, tmp_path: Path, form: str) -> None:
    selector = 'heat_celsius{number=~"1|3"}'
    assert export(state, "--format", form, "--match", selector, tmp_path / "out") == 0
    wanted = {
        (labels, time): value
        for labels, samples in expected(ROWS).items()
        for time, value in samples.items()
        if dict(labels)["number"] in ("1", "3")
    }
    with (tmp_path / "out").open("rb") as file:
        reader = parquet.Reader(file, "out") if form == "parquet" else comma.Reader(file, "out")
        found = {
            (track.labels, time): value
            for track in reader.tracks()
            for time, value in zip(track.times.tolist(), track.values[0].tolist(), strict=True)
        }
    assert found == wanted
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_what_is_no_selector_is_refused(state: Path, tmp_path: Path, capsys: Output) -> None:
    for text in ("rate(x[5m])", "{", "x offset 5m"):
        assert export(state, "--format", "csv", "--match", text, tmp_path / "out") == 1
        assert f"--match {text}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_parquet_without_its_package_says_how_to_install_it(
    state: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert export(state, "--format", "parquet", tmp_path / "out") == 1
    assert "pip install 'monitor[parquet]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("form", ["openmetrics", "csv", "parquet"])
def test_what_is_exported_is_imported(
    state: Path, tmp_path: Path, form: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.commands.export.time.time", lambda: 1 + START * 2 / 1000)
    assert export(state, "--format", form, tmp_path / "out") == 0
    assert run("import", tmp_path / "out", "--format", form, "--state", tmp_path / "new") == 0
    count = sum(map(len, expected(ROWS).values()))
    assert capsys.readouterr().out == f"{count} samples taken in\n"
    shelf = Shelf(tmp_path / "new" / "history")
    assert all_of(shelf) == expected(ROWS)
    shelf.close()


def test_nothing_is_imported_while_a_service_runs(state: Path, tmp_path: Path, capsys: Output) -> None:
    assert export(state, "--format", "csv", tmp_path / "out") == 0
    lock = open(locked(state / "history"))  # noqa: PTH123, SIM115
    assert run("import", tmp_path / "out", "--format", "csv", "--state", state) == 1
    assert "is in use by another process; stop that one" in capsys.readouterr().err
    lock.close()


HEAD = "time,name,type,unit,value,label.job\n"
NONSENSE = [
    ("openmetrics", "up 1 1764000000\nup 2\n# EOF\n", ":2: found 'up 2', expected a sample with its time"),
    ("openmetrics", "up 1 1764000000\n", ":2: expected # EOF: the file is cut off"),
    ("openmetrics", "up 1 1764000000", ":1: expected a line that ends"),
    ("openmetrics", "up 1 1764000000\n# EOF\nup 1 1\n", ":3: expected nothing behind # EOF"),
    ("openmetrics", 'up{a="1",a="2"} 1 1\n# EOF\n', ":1: found 'up{a"),
    ("openmetrics", "up x 1764000000\n# EOF\n", "expected a number and a time in seconds"),
    ("openmetrics", "up 1 1764000000000\n# EOF\n", "after 1970 and not in the future"),
    ("openmetrics", "# TYPE up gouge\n# EOF\n", ":1: found '# TYPE up gouge', expected a type"),
    ("openmetrics", "# COMMENT\n# EOF\n", ":1: found '# COMMENT', expected # TYPE"),
    ("openmetrics", "\xff", ":1: expected"),
    ("csv", "a,b\n1,2\n", ":1: expected a first line of time,name,type,unit,value and label.NAME"),
    ("csv", "time,name,type,unit,last,min\n", "expected samples as they came"),
    ("csv", f"{HEAD}1764000000,up,gauge,,1,x\n1764000000,up,gauge,,1\n", ":3: expected 6 fields, found 5"),
    ("csv", f"{HEAD}yesterday,up,gauge,,1,x\n", ":2: expected a time, as 2026-11-23T13:00:00Z"),
    ("csv", f"{HEAD}-5,up,gauge,,1,x\n", ":2: expected a time after 1970 and not in the future, found '-5'"),
    ("csv", f"{HEAD}1764000000,up,gauge,,much,x\n", ":2: expected a number, found 'much'"),
    ("csv", f"{HEAD}1764000000,up,thing,,1,x\n", "expected a name, and a type of counter, gauge, histogram"),
    ("csv", f'{HEAD}"1764000000,up\n', "expected comma-separated values"),
    ("parquet", "PAR1 it is not", "expected a Parquet file"),
]


@pytest.mark.parametrize(("form", "text", "said"), NONSENSE)
def test_nonsense_is_refused_with_its_place_and_changes_nothing(
    state: Path, tmp_path: Path, capsys: Output, form: str, text: str, said: str
) -> None:
    file = tmp_path / "in"
    file.write_text(text, encoding="latin-1")
    before = {path.name: path.read_bytes() for path in (state / "history").iterdir()}
    assert run("import", file, "--format", form, "--state", state) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"monitor: {file}:")
    assert said in error
    assert error.endswith("; nothing was imported\n")
    after = {path.name: path.read_bytes() for path in (state / "history").iterdir() if path.name != "lock"}
    assert after == before


def test_a_line_without_a_description_is_taken_as_it_is(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "in").write_text('up{job="a",note="x\\"y"} 1 1764000000.5 # {trace="1"} 1\n# EOF\n')
    assert run("import", tmp_path / "in", "--format", "openmetrics", "--state", tmp_path / "state") == 0
    assert capsys.readouterr().out == "1 sample taken in\n"
    assert run("export", "-", "--format", "csv", "--state", tmp_path / "state") == 0
    assert capsys.readouterr().out.split() == [
        "time,name,type,unit,value,label.job,label.note",
        '2025-11-24T16:00:00.500Z,up,unknown,,1,a,"x""y"',
    ]
