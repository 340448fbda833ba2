"""What udev knows of disks, read when it changes."""

import shutil
from pathlib import Path

from monitor.collect import COLLECTORS, Host
from tests.collect.samples import FIXTURES, collected, numbers, text


def infos(source: object, folder: Path) -> list[str]:
    host = Host(str(folder / "proc"), str(folder / "sys"), str(folder / "root"))
    found = numbers(collected(source, host))  # type: ignore[arg-type]
    host.close()
    return [text(series) for series in found if series.name == "node_disk_info"]


def test_a_disk_is_described_anew_when_udev_wrote(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "desktop", tmp_path / "desktop")
    folder = tmp_path / "desktop"
    source = COLLECTORS["diskstats"]()
    before = infos(source, folder)
    assert infos(source, folder) == before
    (folder / "root/run/udev/data/new").write_text("E:ID_MODEL=Example_Stick\nE:ID_SERIAL_SHORT=0003\n")
    (folder / "root/run/udev/data/new").rename(folder / "root/run/udev/data/b8:16")
    (changed,) = set(infos(source, folder)) - set(before)
    assert 'device="sdb"' in changed
    assert 'model="Example_Stick"' in changed
    assert 'serial="0003"' in changed


def test_a_host_without_udev_has_disks_without_names(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "desktop/proc", tmp_path / "proc")
    found = infos(COLLECTORS["diskstats"](), tmp_path)
    assert len(found) == 8
    assert all('model=""' in info for info in found)
