"""Mounts that answer, that do not, and that do again."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from monitor.collect import Host
from monitor.collect.filesystem import PROGRAM, Filesystem, mounts, table, unescaped
from monitor.collect.mount_info import read as read_devices
from monitor.collect.workers import BusyError, Pool, Worker
from tests.collect.samples import FIXTURES, HERE, collected, collector, numbers, text

TABLE = "/dev/a /first ext4 rw 0 0\n/dev/b /second ext4 ro,noatime 0 0\n/dev/c /third ext4 rw 0 0\n"


NAMES = ("first", "second", "third")
HANGS = HERE / "hangs.py"


def machine(folder: Path, table: str = TABLE) -> Host:
    """A host with these mounts, whose mount points are folders."""
    (folder / "proc/1").mkdir(parents=True, exist_ok=True)
    (folder / "proc/1/mounts").write_text(table)
    for line in table.splitlines():
        (folder / "root" / line.split()[1].strip("/")).mkdir(parents=True, exist_ok=True)
    return Host(str(folder / "proc"), rootfs=str(folder / "root"))


async def read(source: Filesystem, host: Host) -> dict[str, float]:
    return {text(series): value for series, value in numbers(await source.refresh(host)).items()}


def told(found: dict[str, float], name: str) -> dict[str, float]:
    """Value by the last part of the mount point."""
    return {
        series.rpartition("/")[2].rstrip('"}'): value
        for series, value in found.items()
        if series.startswith(f"node_filesystem_{name}{{")
    }


def descriptors(worker: Worker) -> set[str]:
    return {path.name for path in Path(f"/proc/{worker.pid}/fd").iterdir()}


def folder(worker: Worker) -> Path:
    return Path(f"/proc/{worker.pid}/cwd").readlink()


def await_end(worker: Worker) -> None:
    """Return when the process has ended; its exit code stays to be taken."""
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)


def run(source: Filesystem, test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await test()
        finally:
            await source.close()

    asyncio.run(whole())


def test_every_mount_is_asked_by_the_real_program(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()

    async def test() -> None:
        found = await read(source, host)
        real = os.statvfs(tmp_path)
        assert told(found, "size_bytes") == dict.fromkeys(NAMES, real.f_blocks * real.f_frsize)
        assert told(found, "files") == dict.fromkeys(NAMES, real.f_files)
        assert told(found, "readonly") == {"first": 0, "second": 1, "third": 0}
        assert told(found, "device_error") == {"first": 0, "second": 0, "third": 0}

    run(source, test)


def test_one_worker_is_enough_while_all_answer(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()

    async def test() -> None:
        await read(source, host)
        (worker,) = source._pool._idle
        await read(source, host)
        assert source._pool._idle == [worker]

    run(source, test)


def dead(folder: Path, name: str) -> Path:
    """Have a mount hang, for tests/collect/hangs.py, until somebody writes to this."""
    fifo = folder / "root" / name / "dead"
    os.mkfifo(fifo)
    return fifo


def revive(fifo: Path) -> None:
    """Let all who wait for it go on."""
    descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    fifo.unlink()
    os.close(descriptor)


def test_a_mount_that_hangs_is_marked_and_the_others_go_on_and_it_comes_back(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem(timeout=0.01, pool=Pool(HANGS))

    async def test() -> None:
        await read(source, host)
        fifo = dead(tmp_path, "second")
        for _ in range(2):
            found = await read(source, host)
            assert told(found, "device_error") == {"first": 0, "second": 1, "third": 0}
            assert told(found, "size_bytes") == {"first": 5120, "third": 5120}
            assert told(found, "readonly") == {"first": 0, "second": 1, "third": 0}
            assert len(source._calls) == 1
        assert len(source._pool._busy) == 2  # Those who asked for all at first, and for this one alone.
        call = next(iter(source._calls.values()))
        revive(fifo)
        await call
        assert told(await read(source, host), "device_error") == {"first": 0, "second": 0, "third": 0}

    run(source, test)


def test_mounts_that_hang_together_are_each_marked(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem(timeout=0.01, pool=Pool(HANGS))

    async def test() -> None:
        for name in ("first", "third"):
            dead(tmp_path, name)
        assert told(await read(source, host), "device_error") == {"first": 1, "second": 0, "third": 1}
        assert told(await read(source, host), "size_bytes") == {"second": 5120}

    run(source, test)


def test_all_are_asked_by_one_question(tmp_path: Path) -> None:
    class Counting(Pool):
        asked: ClassVar[list[bytes]] = []

        def ask(self, line: bytes) -> asyncio.Future[bytes]:
            self.asked.append(line)
            return super().ask(line)

    host, source = machine(tmp_path), Filesystem(pool=Counting(PROGRAM))

    async def test() -> None:
        await read(source, host)
        (line,) = Counting.asked
        paths = [bytes.fromhex(each).decode() for each in line.decode().split()]
        assert paths == [f"{tmp_path}/root/{name}" for name in NAMES]

    run(source, test)


def test_a_worker_holds_none_of_our_descriptors_and_has_a_session_of_its_own(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()

    async def test() -> None:
        with (tmp_path / "held").open("w") as held:
            os.set_inheritable(held.fileno(), True)
            await read(source, host)
            (worker,) = source._pool._idle
            assert descriptors(worker) == {"0", "1", "2"}
            assert os.getsid(worker.pid) == worker.pid
            assert folder(worker) == Path("/")

    run(source, test)


def test_a_worker_that_died_is_replaced(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()

    async def test() -> None:
        await read(source, host)
        (worker,) = source._pool._idle
        os.kill(worker.pid, signal.SIGKILL)
        await_end(worker)
        assert sorted(told(await read(source, host), "device_error").values()) == [0, 0, 0]
        (other,) = source._pool._idle
        assert other is not worker

    run(source, test)


def test_workers_that_hang_are_bounded(tmp_path: Path) -> None:
    source = Filesystem(timeout=0.01, pool=Pool(PROGRAM, most=1))
    host = machine(tmp_path)

    async def test() -> None:
        await read(source, host)
        (worker,) = source._pool._idle
        os.kill(worker.pid, signal.SIGSTOP)
        found = await read(source, host)
        assert told(found, "device_error") == {"first": 1, "second": 1, "third": 1}
        with pytest.raises(BusyError, match="all 1 workers hang"):
            source._pool.ask(b"2f")

    run(source, test)


def test_an_answer_that_is_an_error_marks_the_mount(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()
    (tmp_path / "root/second").rmdir()

    async def test() -> None:
        found = await read(source, host)
        assert told(found, "device_error") == {"first": 0, "second": 1, "third": 0}
        assert told(found, "size_bytes").keys() == {"first", "third"}

    run(source, test)


def test_workers_end_with_their_source(tmp_path: Path) -> None:
    host, source = machine(tmp_path), Filesystem()
    workers: list[Worker] = []

    async def asked() -> None:
        await read(source, host)
        workers.extend(source._pool._idle)

    run(source, asked)
    (worker,) = workers
    with suppress(ChildProcessError):  # Its exit code may have been taken by then.
        os.waitpid(worker.pid, 0)
    assert not Path(f"/proc/{worker.pid}").exists()


def test_no_zombie_stays_of_a_source_that_is_gone(tmp_path: Path) -> None:
    workers: list[Worker] = []

    async def asked() -> None:
        for _ in range(2):
            source = Filesystem()
            await read(source, machine(tmp_path))
            workers.extend(source._pool._idle)
            await source.close()
            with suppress(ChildProcessError):  # Its exit code may have been taken by then.
                await_end(workers[-1])

    asyncio.run(asked())
    first, second = workers
    assert not Path(f"/proc/{first.pid}").exists()  # When the second began.
    Pool(PROGRAM).reap()
    assert not Path(f"/proc/{second.pid}").exists()


def test_no_mounts_are_no_error(tmp_path: Path) -> None:
    host, source = machine(tmp_path, "proc /proc proc rw 0 0\n"), Filesystem()

    async def test() -> None:
        assert await read(source, host) == {}

    run(source, test)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"mount_points_exclude": "^/second$"}, {"first", "third"}),
        ({"fs_types_exclude": "^ext4$"}, set()),
        ({"mount_points_exclude": "", "fs_types_exclude": ""}, {"first", "second", "third"}),
    ],
)
def test_mounts_are_left_out_by_pattern(tmp_path: Path, options: dict[str, str], left: set[str]) -> None:
    host, source = machine(tmp_path), Filesystem(**options)  # type: ignore[arg-type]

    async def test() -> None:
        assert told(await read(source, host), "device_error").keys() == left

    run(source, test)


def test_the_mount_table_is_unescaped_and_each_mount_is_there_once() -> None:
    desktop = Host(str(FIXTURES / "desktop/proc"))
    points = [mount.place for mount in mounts(table(desktop))]
    assert points.count("/srv/archive disk") == 1
    desktop.close()


def test_a_mount_point_that_is_no_text_is_still_asked(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1/mounts").write_bytes(b"/dev/a /caf\xe9\\134x ext4 rw 0 0\n")
    (mount,) = mounts(table(Host(str(tmp_path))))
    assert mount.point == b"/caf\xe9\\x"
    assert mount.place == "/caf\ufffd\\x"


def test_a_name_that_the_kernel_leaves_as_it_is_ends_no_line() -> None:
    table = b"/dev/a /a\rb\x0c\x1c ext4 rw 0 0\n/dev/b /b\\012\\011\\040 ext4 rw 0 0\n"
    assert [mount.point for mount in mounts(table)] == [b"/a\rb\x0c\x1c", b"/b\n\t "]
    assert mounts(b"") == ()


def test_the_program_that_stands_in_speaks_as_the_real_one(tmp_path: Path) -> None:
    async def answers(program: Path) -> list[int]:
        pool = Pool(program)
        found = [await pool.ask(path.hex().encode()) for path in (b"/", b"/net/gone")]
        pool.close()
        return [len(answer.split()) for answer in found]

    assert asyncio.run(answers(PROGRAM)) == asyncio.run(answers(HERE / "answers.py")) == [5, 2]


def test_the_device_behind_a_mount_is_told_where_the_kernel_tells_it() -> None:
    found = numbers(collected(collector("filesystem"), Host(str(FIXTURES / "desktop/proc"))))
    infos = {text(series) for series in found if series.name == "node_filesystem_mount_info"}
    assert (
        'node_filesystem_mount_info{device="/dev/md127",major="9",minor="127",mountpoint="/srv/archive disk"}'
        in infos
    )
    assert len(infos) == 5


def test_a_table_of_devices_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="a device and a mount point expected"):
        read_devices(b"22 28 none / /sys rw\n", unescaped)
