"""Files read through kept descriptors."""

import os
import signal
from pathlib import Path

import pytest

from monitor.collect import Host


def host(folder: Path, descriptors: int = 8) -> Host:
    return Host(str(folder), str(folder), str(folder), descriptors)


def opened() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_file_is_read_once_in_a_pass_and_anew_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("1\n")
    this = host(tmp_path)
    assert this.proc("loadavg") == "1\n"
    (tmp_path / "loadavg").write_text("2\n")
    assert this.proc("loadavg") == "1\n"
    this.fresh()
    assert this.proc("loadavg") == "2\n"
    this.close()


def test_a_descriptor_is_kept_and_closed_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("1\n")
    before = opened()
    this = host(tmp_path)
    for _ in range(5):
        this.fresh()
        this.proc("loadavg")
    assert opened() == before + 1
    this.close()
    assert opened() == before


def test_descriptors_are_bounded(tmp_path: Path) -> None:
    names = [f"file{number}" for number in range(20)]
    for name in names:
        (tmp_path / name).write_text(f"{name}\n")
    before = opened()
    this = host(tmp_path, descriptors=4)
    for _ in range(2):
        this.fresh()
        assert [this.proc(name) for name in names] == [f"{name}\n" for name in names]
        assert opened() <= before + 4
    this.close()


def test_files_that_are_read_no_more_make_room_for_those_that_are(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / str(number)).write_text(f"{number}\n")
    this = host(tmp_path, descriptors=4)
    for first in (0, 0, 4, 4, 4):
        this.fresh()
        for number in range(first, first + 4):
            this.proc(str(number))
    assert sorted(this._open) == [f"{tmp_path}/{number}" for number in range(4, 8)]
    this.close()


def test_what_is_read_in_passing_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "info").write_text("x\n")
    this = host(tmp_path)
    before = opened()
    with this.passing():
        assert this.proc("info") == "x\n"
        with pytest.raises(IsADirectoryError):
            this.proc("")
    assert opened() == before
    this.proc("info")
    this.fresh()
    this.proc("info")
    assert opened() == before + 1
    this.close()


def test_a_big_file_is_read_whole_however_it_grows(tmp_path: Path) -> None:
    this = host(tmp_path)
    for size in (10, 5_000, 500_000, 3):
        (tmp_path / "big").write_text("x" * size + "\n")
        this.fresh()
        assert len(this.proc("big")) == size + 1
    this.close()


def test_a_table_that_the_kernel_gives_in_pieces_is_read_whole() -> None:
    this = Host()
    whole = this.read("/proc/self/smaps")
    descriptor, size = this._open["/proc/self/smaps"]
    assert len(os.pread(descriptor, size, 0)) < len(whole)
    assert whole.endswith(Path("/proc/self/smaps").read_bytes()[-100:])
    this.close()


def test_what_the_kernel_took_away_is_not_there(tmp_path: Path) -> None:
    child = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
    this = Host()
    path = f"{child}/stat"
    assert this.proc(path).startswith(f"{child} ")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    this.fresh()
    with pytest.raises(FileNotFoundError, match=path):
        this.proc(path)
    this.close()


def test_a_file_that_was_closed_behind_us_is_opened_anew(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("1\n")
    this = host(tmp_path)
    this.proc("loadavg")
    # The kernel answers ENODEV for a device that went; a directory gives an error on reading as well.
    folder = os.open(tmp_path, os.O_RDONLY)
    descriptor, _ = this._open[f"{tmp_path}/loadavg"]
    os.dup2(folder, descriptor)
    os.close(folder)
    this.fresh()
    assert this.proc("loadavg") == "1\n"
    this.close()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "none")):
        host(tmp_path).sys("none")


def test_text_that_is_no_text_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b"caf\xe9\n")
    this = host(tmp_path)
    assert this.sys("name") == "caf\ufffd\n"
    this.close()


def test_a_path_of_the_host_is_found_below_its_root() -> None:
    assert Host(rootfs="/host").root("/home") == "/host/home"
    assert Host().root("/home") == "/home"
