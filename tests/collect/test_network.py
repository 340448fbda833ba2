"""Traffic of containers: which process tells it, whose it is, and that of a real network namespace."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import Host
from monitor.collect.cgroup.files import Counts
from monitor.collect.cgroup.network import INTERFACES, Traffic, counts
from monitor.collect.containers import Containers
from tests.collect.samples import numbers

HEAD = "Inter-|   Receive  |  Transmit\n face |bytes  |bytes\n"
SPEAK = """
import subprocess, socket
for command in ("link add eth0 type veth peer name eth1", "addr add 192.0.2.1/24 dev eth0",
                "link set eth0 up", "link set eth1 up",
                "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0"):
    subprocess.run(["ip", *command.split()], check=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
    for _ in range(100):
        speaker.sendto(bytes(1000), ("192.0.2.9", 9))
print("spoken", flush=True)
input()
"""


def line(name: str, received: int, sent: int = 0) -> str:
    return f"{name}: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n"


class Proc:
    """A procfs in a folder; processes with the same file are in the same namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin(1, line("eth0", 1))

    def begin(self, process: int, text: str) -> None:
        self._file(process).write_text(HEAD + text)

    def share(self, process: int, other: int) -> None:
        os.link(self.folder / f"{other}/net/dev", self._file(process))

    def end(self, process: int) -> None:
        shutil.rmtree(self.folder / str(process))

    def _file(self, process: int) -> Path:
        file = self.folder / f"{process}/net/dev"
        file.parent.mkdir(parents=True)
        return file


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


@pytest.fixture
def traffic(proc: Proc) -> Traffic:
    return Traffic(str(proc.folder))


def received(found: Counts) -> dict[str, float]:
    """Bytes received by interface."""
    return {
        name: value
        for (metric, name), value in found.items()
        if metric.name == "container_network_receive_bytes_total"
    }


def test_a_container_with_a_namespace_of_its_own_is_told_by_interface(proc: Proc, traffic: Traffic) -> None:
    proc.begin(7, line("lo", 5) + line("eth0", 100, 200) + line("veth12", 5) + line("docker0", 5))
    traffic.look(["/a"])
    found = traffic.counted("/a", ["7"])
    assert {(metric.name, name): value for (metric, name), value in found.items() if value > 1} == {
        ("container_network_receive_bytes_total", "eth0"): 100,
        ("container_network_transmit_bytes_total", "eth0"): 200,
    }
    assert len(found) == 8


def test_a_container_in_the_host_s_namespace_has_no_traffic_of_its_own(proc: Proc, traffic: Traffic) -> None:
    proc.share(7, 1)
    traffic.look(["/a"])
    assert traffic.counted("/a", ["7"]) == {}


def test_what_several_share_is_told_once_and_goes_on_with_another_when_one_is_gone(
    proc: Proc, traffic: Traffic
) -> None:
    proc.begin(7, line("eth0", 100))
    proc.share(8, 7)
    for _ in range(2):
        traffic.look(["/a", "/b"])
        assert received(traffic.counted("/a", ["7"])) == {"eth0": 100}
        assert traffic.counted("/b", ["8"]) == {}
    traffic.look(["/b"])
    assert received(traffic.counted("/b", ["8"])) == {"eth0": 100}


def test_the_process_that_told_goes_on_and_another_follows_it(proc: Proc, traffic: Traffic) -> None:
    proc.begin(7, line("eth0", 100))
    proc.begin(8, line("eth0", 900))
    traffic.look(["/a"])
    assert received(traffic.counted("/a", ["7"])) == {"eth0": 100}
    traffic.look(["/a"])
    assert received(traffic.counted("/a", ["8", "7"])) == {"eth0": 100}
    proc.end(7)
    traffic.look(["/a"])
    assert received(traffic.counted("/a", ["7", "8"])) == {"eth0": 900}  # Gone since it was listed.
    traffic.look(["/a"])
    assert traffic.counted("/a", ["0", "7", "5", "6", "4"]) == {}


def test_interfaces_are_bounded(proc: Proc, traffic: Traffic) -> None:
    proc.begin(7, "".join(line(f"eth{number}", 1) for number in range(99)))
    traffic.look(["/a"])
    assert len(received(traffic.counted("/a", ["7"]))) == INTERFACES


@given(
    st.dictionaries(st.from_regex(r"[^\s:/]{1,15}", fullmatch=True), st.integers(0, 2**64 - 1), max_size=9)
)
def test_any_interface_is_read_as_it_was_written(interfaces: dict[str, int]) -> None:
    found = received(dict(counts([line(name, value) for name, value in interfaces.items()])))
    hidden = ("lo", "veth", "docker", "nerdctl")
    assert found == {name: float(value) for name, value in interfaces.items() if not name.startswith(hidden)}


@contextmanager
def speaking() -> Iterator[str]:
    """A process in a network namespace of its own that has sent 100 packets; its number."""
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("root, unshare (util-linux) and ip (iproute2) are needed to make a network namespace")
    command = ["unshare", "--net", sys.executable, "-I", "-S", "-c", SPEAK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        if process.stdout.readline() != "spoken\n":
            pytest.skip(f"no interface can be made here: {process.stderr.read()[-200:]}")
        yield str(process.pid)
        process.kill()


def test_a_real_namespace_is_told_and_that_of_this_process_is_not(tmp_path: Path) -> None:
    group = tmp_path / "fs/cgroup/docker" / ("0123456789abcdef" * 4)
    group.mkdir(parents=True)
    (tmp_path / "fs/cgroup/cgroup.controllers").write_text("cpu\n")
    (group / "cpu.stat").write_text("usage_usec 1\n")
    source = Containers(sockets=())

    def sent() -> dict[str, float]:
        found = numbers(asyncio.run(source.refresh(Host(sysfs=str(tmp_path)))))
        wanted = "container_network_transmit_bytes_total"
        return {dict(s.labels)["interface"]: value for s, value in found.items() if s.name == wanted}

    (group / "cgroup.procs").write_text(f"{os.getpid()}\n")
    assert sent() == {}
    with speaking() as process:
        (group / "cgroup.procs").write_text(f"{process}\n")
        assert sent()["eth0"] >= 100 * 1000
    assert sent() == {}
