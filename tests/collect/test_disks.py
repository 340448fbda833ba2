"""Whole disks: their sizes and kinds, and what is none."""

from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.disks import MOST, Disk, disks


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "block").mkdir()
    return Host(sysfs=str(tmp_path))


def plug(host: Host, name: str, files: dict[str, str] | None = None, sectors: int = 2048) -> None:
    folder = Path(host.sysfs, "block", name)
    (folder / "queue").mkdir(parents=True)
    (folder / "device").mkdir()
    (folder / "size").write_text(f"{sectors}\n")
    for file, text in (files or {}).items():
        (folder / file).write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("name", "files", "kind"),
    [
        ("nvme0n1", {"queue/rotational": "0"}, "NVMe"),
        ("sda", {"queue/rotational": "0", "removable": "0"}, "SSD"),
        ("sdb", {"queue/rotational": "1", "removable": "0"}, "HDD"),
        ("sdc", {"queue/rotational": "0", "removable": "1"}, "removable"),
        ("vda", {"queue/rotational": "1"}, "virtual"),
        ("sr0", {"removable": "1"}, "optical"),
        ("mmcblk0", {}, "flash card"),
    ],
)
def test_a_disk_has_a_size_and_a_kind(host: Host, name: str, files: dict[str, str], kind: str) -> None:
    plug(host, name, files)
    assert disks(host) == [Disk(name, 1 << 20, kind, "")]


def test_a_disk_says_its_model_and_a_slash_is_one(host: Host) -> None:
    plug(host, "cciss!c0d0", {"device/model": "LOGICAL VOLUME  ", "queue/rotational": "1"})
    assert disks(host) == [Disk("cciss/c0d0", 1 << 20, "HDD", "LOGICAL VOLUME")]


def test_what_is_made_of_others_and_a_drive_without_a_medium_are_no_disks(host: Host) -> None:
    plug(host, "sr0", sectors=0)
    plug(host, "loop0")
    Path(host.sysfs, "block/loop0/device").rmdir()
    assert disks(host) == []


def test_of_very_many_the_first_are_told_and_none_where_nothing_tells(host: Host, tmp_path: Path) -> None:
    for number in range(MOST + 3):
        plug(host, f"sd{number}")
    assert len(disks(host)) == MOST
    assert disks(Host(sysfs=str(tmp_path / "elsewhere"))) == []
