"""Containers and units: what their control groups say, what they are called, and how they come and go."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.cgroup.engine import Engine, Names
from monitor.collect.cgroup.files import Devices, processes
from monitor.collect.cgroup.legacy import Legacy
from monitor.collect.cgroup.metrics import CPU, MEMORY, PROCESSES
from monitor.collect.cgroup.place import Place, container_of, places, unit_of
from monitor.collect.cgroup.unified import Unified
from monitor.collect.containers import Containers
from monitor.model import Block, Event
from tests.collect.engine import Docker, docker
from tests.collect.samples import FIXTURES, numbers

ID = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
BURN = """
import time
input()
end = time.process_time() + 0.05
while time.process_time() < end:
    pass
print(flush=True)
input()
"""
WEB = {ID: ("web", "nginx:1.27")}


class Tree:
    """Control groups of version 2 in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "sys/fs/cgroup"
        self.root.mkdir(parents=True)
        (self.root / "cgroup.controllers").write_text("cpu memory\n")
        self.count(0)

    def host(self) -> Host:
        return Host(sysfs=str(self.folder / "sys"), rootfs=str(self.folder))

    def begin(self, path: str, usage: int = 1_000_000) -> Path:
        group = self.root / path
        group.mkdir(parents=True)
        stat = f"usage_usec {usage}\nuser_usec {usage}\nsystem_usec 0\n"
        (group / "cpu.stat").write_text(stat)
        (group / "cgroup.procs").write_text("1\n")
        return group

    def count(self, number: int) -> None:
        (self.root / "cgroup.stat").write_text(f"nr_descendants {number}\nnr_dying_descendants 0\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def cpus(blocks: list[Block], label: str = "unit") -> dict[str, float]:
    """CPU time by a label."""
    return {
        dict(series.labels)[label]: value
        for series, value in numbers(blocks).items()
        if series.name == CPU.name
    }


async def once(source: Containers, host: Host) -> list[Block]:
    try:
        return await source.refresh(host)
    finally:
        await source.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            f"/system.slice/docker-{ID}.scope",
            Place(f"/system.slice/docker-{ID}.scope", f"docker-{ID[:12]}", ID),
        ),
        (f"/docker/{ID}", Place(f"/docker/{ID}", f"docker-{ID[:12]}", ID)),
        (f"/kubepods/besteffort/pod1/{ID}", Place(f"/kubepods/besteffort/pod1/{ID}", ID[:12], ID)),
        ("/lxc.payload.web", Place("/lxc.payload.web", "lxc-web", "web")),
        ("/lxc/web", Place("/lxc/web", "lxc-web", "web")),
        (f"/docker/{ID}/system.slice", None),
        (f"/machine.slice/libpod-conmon-{ID}.scope", None),
        ("/system.slice/nginx.service", None),
    ],
)
def test_a_container_is_what_a_runtime_named(path: str, expected: Place | None) -> None:
    assert container_of(path) == expected


def test_a_unit_is_what_systemd_named_and_no_helper_of_a_container() -> None:
    assert unit_of("/system.slice/nginx.service") == Place("/system.slice/nginx.service", "nginx.service")
    assert unit_of("/user.slice/user-1000.slice") == Place("/user.slice/user-1000.slice", "user-1000.slice")
    assert not unit_of("/system.slice")
    assert not unit_of(f"/machine.slice/libpod-conmon-{ID}.scope")


def test_what_is_in_a_container_or_below_a_unit_belongs_to_it() -> None:
    found = {place.unit for place in places(str(FIXTURES / "desktop/sys/fs/cgroup"))}
    units = {"init.scope", "nginx.service", "user-1000.slice"}
    assert found == units | {f"docker-{ID[:12]}", f"libpod-{OTHER[:12]}"}


def test_containers_have_the_names_that_docker_tells(tree: Tree) -> None:
    async def test() -> None:
        tree.begin(f"system.slice/docker-{ID}.scope")
        tree.begin("system.slice/nginx.service")
        source, engine = Containers(), Docker(WEB)
        async with docker(tree.folder, engine):
            first = await source.refresh(tree.host())
            assert cpus(first).keys() == {f"docker-{ID[:12]}", "nginx.service"}
            told = numbers(first)
        named = {
            series.labels for series in told if series.name == CPU.name and "name" in dict(series.labels)
        }
        path = f"/system.slice/docker-{ID}.scope"
        expected = {"cpu": "total", "id": path, "image": "nginx:1.27", "name": "web"}
        assert [dict(labels) for labels in named] == [expected | {"unit": f"docker-{ID[:12]}"}]
        assert engine.paths == ["/containers/json"]
        await source.close()

    asyncio.run(test())


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("silent", "no answer in 0.05 s"),
        ("refuses", "the status 200 expected of the list of containers, found 'HTTP/1.0 500"),
        ("strange", "a list of containers expected"),
        ("broken", "Expecting property name"),
        ("odd", "a container with a list of Names expected"),
        ("deep", "maximum recursion depth exceeded"),
    ],
)
def test_a_docker_that_does_not_answer_as_it_should_holds_up_nothing_and_is_told_of(
    tree: Tree, caplog: pytest.LogCaptureFixture, manner: str, said: str
) -> None:
    async def test() -> None:
        tree.begin(f"docker/{ID}")
        now = [0.0]
        source, engine = Containers(timeout=0.05), Docker(WEB, manner)
        async with docker(tree.folder, engine) as path:
            source._engine = known = Engine([str(path)], 0.05, lambda: now[0])
            assert cpus(await source.refresh(tree.host())) == {f"docker-{ID[:12]}": 1.0}
            assert known._task
            await known._task
            found = numbers(await source.refresh(tree.host()))
            assert {s.labels: v for s, v in found.items() if s.name == "monitor_container_engine_up"} == {
                (("socket", str(path)),): 0.0
            }
            assert engine.asked == 1  # Not again at each look.
            engine.manner, now[0] = "good", 60.0
            await source.refresh(tree.host())
            await known._task
            assert known.known == {ID: Names("web", "nginx:1.27")}
            assert known.answers == {str(path): True}
        await source.close()

    asyncio.run(test())
    assert [record.getMessage().partition("docker.sock: ")[2][: len(said)] for record in caplog.records] == [
        said
    ]
    caplog.clear()


def test_docker_is_not_asked_where_there_are_no_containers(tree: Tree) -> None:
    async def test() -> None:
        tree.begin("system.slice/nginx.service")
        engine = Docker(WEB)
        async with docker(tree.folder, engine):
            await once(Containers(), tree.host())
        assert engine.asked == 0

    asyncio.run(test())


def test_groups_come_and_go(tree: Tree) -> None:
    async def test() -> None:
        source, host = Containers(), tree.host()
        with pytest.raises(FileNotFoundError, match="no containers and no units"):
            await source.refresh(host)
        group = tree.begin("system.slice/a.service")
        tree.count(1)
        assert cpus(await source.refresh(host)) == {"a.service": 1.0}
        tree.begin("system.slice/b.service", 2_000_000)
        assert cpus(await source.refresh(host)) == {"a.service": 1.0}  # Nothing tells of it yet.
        tree.count(2)
        assert cpus(await source.refresh(host)) == {"a.service": 1.0, "b.service": 2.0}
        shutil.rmtree(group)
        tree.begin("system.slice/c.service", 3_000_000)  # As many as before.
        assert cpus(await source.refresh(host)) == {"b.service": 2.0}
        assert cpus(await source.refresh(host)) == {"b.service": 2.0, "c.service": 3.0}
        await source.close()

    asyncio.run(test())


def test_their_number_is_bounded_containers_first(tree: Tree) -> None:
    for number in range(5):
        tree.begin(f"system.slice/a{number}.service")
    tree.begin(f"docker/{ID}")
    found = asyncio.run(once(Containers(groups=3), tree.host()))
    assert list(cpus(found)) == [f"docker-{ID[:12]}", "a0.service", "a1.service"]
    said = {series.name: value for series, value in numbers(found[-1:]).items()}
    assert said == {"monitor_container_groups": 6, "monitor_container_groups_left_out": 3}


def test_a_file_that_is_missing_leaves_out_its_own_numbers(tree: Tree) -> None:
    group = tree.begin("system.slice/a.service")
    (group / "memory.current").write_text("4096\n")
    found = Unified(str(tree.root), Devices("")).measured("/system.slice/a.service")
    assert found[CPU, "total"] == 1.0
    assert found[MEMORY, ""] == 4096.0
    assert found[PROCESSES, ""] == 1.0


def test_kills_for_memory_are_events_where_the_kernel_s_messages_are_not_read(tree: Tree) -> None:
    async def happened() -> list[Event]:
        group, host = tree.begin("system.slice/a.service"), tree.host()
        (group / "memory.current").write_text("4096\n")
        source = Containers()
        told = []
        for kills, now in ((2, 10), (2, 20), (5, 30), (0, 40)):
            (group / "memory.events").write_text(f"oom {kills}\noom_kill {kills}\n")
            host.fresh(now)
            await source.refresh(host)
            told += source.happened()
        await source.close()
        return told

    text = "processes killed, as no memory was left in a.service: 3"
    assert asyncio.run(happened()) == [Event(30_000, 30_000, "oom", text)]


def mounted(kind: str, option: str) -> Path:
    """Where control groups of a version are mounted here."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        name, _, options = after.split()
        if name == kind and option in options.split(","):
            return Path(before.split()[4])
    pytest.skip(f"no {kind} with {option} is mounted here")


@contextmanager
def real_group(root: Path) -> Iterator[tuple[str, Path]]:
    """A group of the kernel's with a process in it that has used some CPU; its path and folder."""
    if os.geteuid():
        pytest.skip("root is needed to make a control group")
    path = f"/monitor-test-{os.getpid()}.service"
    folder = root / path[1:]
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        with subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BURN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            (folder / "cgroup.procs").write_text(str(process.pid))
            assert process.stdin
            assert process.stdout
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            yield path, folder
            process.kill()
    finally:
        folder.rmdir()


def unified() -> tuple[Unified, Path]:
    """Control groups of version 2, and a folder to make one in."""
    root = mounted("cgroup2", "rw")
    return Unified(str(root), Devices("/sys")), root


def legacy() -> tuple[Legacy, Path]:
    """Those of version 1, by what they use."""
    root = mounted("cgroup", "cpuacct")
    return Legacy(str(root.parent), Devices("/sys")), root


@pytest.mark.parametrize("version", [unified, legacy])
def test_a_real_group_is_measured_until_it_is_gone(
    version: Callable[[], tuple[Unified | Legacy, Path]],
) -> None:
    tree, root = version()
    with real_group(root) as (path, _):
        assert path in {place.path for place in tree.places()}
        found = tree.measured(path)
        assert found[CPU, "total"] >= 0.04
        assert found[PROCESSES, ""] == 1.0
    assert tree.measured(path) == {}


def test_a_list_of_processes_longer_than_a_page_is_counted_to_its_end(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tree.begin("system.slice/many.service")
    (group / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in range(10_000, 13_000)))
    read = os.pread
    # As the kernel does (fs/seq_file.c): whole lines, a page at most.
    monkeypatch.setattr(
        os, "pread", lambda file, size, at: (read(file, 4096, at).rpartition(b"\n")[0] + b"\n").lstrip()
    )
    assert processes(str(group)) == 3000
