"""`monitor init` writes a file that is right, for the host that it finds."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.commands import init
from monitor.config import Settings, load
from monitor.config.first import SHOWN, first
from monitor.config.surroundings import Surroundings, surroundings
from monitor.queries import judge

Output = pytest.CaptureFixture[str]
PLAIN = Surroundings("web-1", 4, ("eth0", "lo"), ("/", "/srv"), ())


@pytest.fixture(autouse=True)
def wide_mask() -> Iterator[None]:
    """The mode of the file is ours to choose, whatever the mask is."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def read(folder: Path, text: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text)
    return load(path, {}, {}, judge).settings


def test_what_it_wrote_is_ok_and_nobody_else_reads_it(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    assert main(["init", str(path)]) == 0
    said = capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [path]
    assert f"monitor serve --config {path}" in said
    assert main(["check-config", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: ok\n")


def test_a_file_that_is_there_is_left_alone_unless_told_otherwise(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("{}")
    assert main(["init", str(path)]) == 1
    assert capsys.readouterr().err == f"monitor: {path} is there already; to replace it, add --force\n"
    assert path.read_text() == "{}"
    assert main(["init", str(path), "--force"]) == 0
    assert path.read_text().startswith("# The configuration of monitor on ")
    assert path.stat().st_mode & 0o777 == 0o640
    assert [*tmp_path.iterdir()] == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: Output) -> None:
    assert main(["init", str(tmp_path / "none" / "config.yaml")]) == 1
    assert "config.yaml cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_link_is_not_written_through(tmp_path: Path, capsys: Output) -> None:
    target = tmp_path / "target"
    (tmp_path / ".config.yaml.new").symlink_to(target)
    assert main(["init", str(tmp_path / "config.yaml")]) == 1
    assert not target.exists()


def test_on_a_plain_host_everything_is_at_its_default(tmp_path: Path) -> None:
    text = first(PLAIN, 1000)
    assert read(tmp_path, text) == Settings()
    assert "Found here: eth0, lo." in text
    assert "Watched here: /, /srv." in text
    assert len(text.splitlines()) < 100


def test_every_setting_that_is_shown_can_be_uncommented(tmp_path: Path) -> None:
    lines = first(PLAIN, 1000).splitlines()
    settings = {f"# {path.rpartition('.')[2]}:" for path in SHOWN}
    opened = [
        line.replace("# ", "", 1) if any(line.lstrip().startswith(each) for each in settings) else line
        for line in lines
    ]
    assert len([line for line, before in zip(opened, lines, strict=True) if line != before]) == len(SHOWN)
    assert read(tmp_path, "\n".join(opened)) == Settings()


def test_what_the_host_needs_is_set(tmp_path: Path) -> None:
    found = PLAIN._replace(
        interfaces=("eth0", "docker0", "veth1", "br-9f"), remote=("/srv",), boards=("containers", "sensors")
    )
    text = first(found, 250)
    settings = read(tmp_path, text)
    assert settings.server.websocket.max_clients == 250
    assert settings.collect.collectors.netdev.devices_exclude == r"^(veth|docker|br\-)"
    assert "Found here: containers, sensors. [list]" in " ".join(text.replace("#", " ").split())
    assert "marked when they do not answer: /srv." in " ".join(text.replace("#", " ").split())


def test_names_that_a_host_may_have_do_no_harm(tmp_path: Path) -> None:
    found = Surroundings("a\nlog: {level: loud}", 1, ("x\ny: 1",), ("/mnt/\u2028z: 1",), ())
    assert read(tmp_path, first(found, 1000)) == Settings()


def test_this_host_is_seen_from_its_files(tmp_path: Path) -> None:
    for name in ("eth0", "lo"):
        (tmp_path / "sys/class/net" / name).mkdir(parents=True)
    for name in ("cpu0", "cpu1", "cpufreq"):
        (tmp_path / "sys/devices/system/cpu" / name).mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    mounts = (
        "/dev/vda / ext4 rw 0 0\nproc /proc proc rw 0 0\nnas:/x /srv nfs4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n"
    )
    (tmp_path / "proc/self/mounts").write_text(mounts)
    for name in ("sys/class/thermal/thermal_zone0", "proc/driver/nvidia/version"):
        (tmp_path / name).mkdir(parents=True)
    found = surroundings(tmp_path)
    assert found.boards == ("sensors", "gpu")
    assert (found.cores, found.interfaces) == (2, ("eth0", "lo"))
    assert (found.disks, found.remote) == (("/", "/srv", "/run"), ("/srv",))
    assert surroundings(tmp_path / "nowhere")[1:] == (1, (), (), (), ())


def test_as_many_viewers_are_let_in_as_half_of_the_memory_is_enough_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from monitor import footprint

    monkeypatch.setattr(footprint, "memory_limit", lambda: footprint.Limit(1 << 40, "a large machine"))
    assert init.viewers() == 1000
    monkeypatch.setattr(footprint, "memory_limit", lambda: footprint.Limit(512 << 20, "a small machine"))
    assert init.viewers() == 500
