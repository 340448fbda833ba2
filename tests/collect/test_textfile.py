"""Files that scripts leave: one that is half written or wrong is left out alone, and everybody sees it."""

import os
from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect import textfile as module
from monitor.collect.textfile import Textfile
from tests.collect.samples import collected, numbers, text

GOOD = "# TYPE good_total counter\ngood_total 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "metrics"
    found.mkdir()
    (found / "good.prom").write_text(GOOD)
    os.utime(found / "good.prom", (0, 1_767_229_200))
    return found


def values(source: Textfile, folder: Path) -> dict[str, float]:
    found = numbers(collected(source, Host(rootfs=str(folder.parent))))
    return {text(series): value for series, value in found.items()}


def source() -> Textfile:
    return Textfile(directory=Path("/metrics"))


def test_a_directory_gives_what_its_files_say_and_when_they_were_written(folder: Path) -> None:
    (folder / "note.txt").write_text("not read")
    assert values(source(), folder) == {
        "good_total": 1.0,
        'node_textfile_mtime_seconds{file="/metrics/good.prom"}': 1_767_229_200.0,
        "node_textfile_scrape_error": 0.0,
        'monitor_collector_unreadable_files{collector="textfile"}': 0.0,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('half_total{a="b', "cut off"),
        ("half_total 12", "cut off"),  # 12 of 1234, perhaps.
        ("later_total 1 1767229200250\n", "no timestamp expected"),
        ("good_total 2\n", "/metrics/good.prom has the same series"),
    ],
)
def test_a_file_that_is_wrong_is_left_out_alone(
    folder: Path, content: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    collector = source()
    (folder / "half.prom").write_text(content)
    found = values(collector, folder)
    assert found["good_total"] == 1
    assert found["node_textfile_scrape_error"] == 1
    assert not [name for name in found if "half" in name or "later" in name]
    assert said in caplog.text
    caplog.clear()
    (folder / "half.prom").write_text("half_total 1234\n")
    assert values(collector, folder)["half_total"] == 1234
    assert values(collector, folder)["node_textfile_scrape_error"] == 0


def test_a_file_that_cannot_be_read_is_left_out_alone(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "broken.prom").symlink_to("/proc/self/mem")
    found = values(source(), folder)
    assert (found["good_total"], found["node_textfile_scrape_error"]) == (1, 1)
    assert "Input/output error" in caplog.text
    caplog.clear()


def test_files_give_no_more_series_than_there_is_room_for(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    (folder / "many.prom").write_text("".join(f"many_{number} 1\n" for number in range(3)))
    assert [name for name in values(source(), folder) if "many_" in name] == []
    assert "at most 3 series expected in all files" in caplog.text
    caplog.clear()


def test_a_host_without_the_directory_has_no_such_metrics(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no textfile on this host"):
        collected(Textfile(directory=Path("/elsewhere")), Host(rootfs=str(folder.parent)))


def test_an_empty_directory_is_in_order(folder: Path) -> None:
    (folder / "good.prom").unlink()
    assert values(source(), folder)["node_textfile_scrape_error"] == 0


def test_a_directory_may_have_wildcards(folder: Path) -> None:
    found = values(Textfile(directory=Path("/met*")), folder)
    assert found["good_total"] == 1
