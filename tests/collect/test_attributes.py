"""Attributes of sysfs that are there, that are not, and that answer with an error."""

from pathlib import Path

from monitor.collect import Host
from monitor.collect.attributes import names, number, text


def test_a_value_is_read_without_its_end_of_line(tmp_path: Path) -> None:
    (tmp_path / "name").write_text("coretemp\n")
    (tmp_path / "temp1_input").write_text("41000\n")
    host = Host(sysfs=str(tmp_path))
    assert (text(host, "name"), number(host, "temp1_input"), number(host, "name")) == (
        "coretemp",
        41000,
        None,
    )
    host.close()


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    host = Host(sysfs=str(tmp_path))
    assert text(host, "gone") is None
    assert number(host, "gone") is None
    assert text(host, "folder") is None
    assert names(host, "gone") == []
    assert names(host, "") == ["folder"]
    host.close()
