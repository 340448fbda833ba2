"""What collectors give, as lines that a person can read and as numbers by series."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.collect import COLLECTORS, Background, Collector, Host
from monitor.collect.cgroup.engine import Engine, Names
from monitor.collect.collector import Holding
from monitor.collect.containers import Containers
from monitor.collect.ethtool import Ethtool
from monitor.collect.filesystem import Filesystem
from monitor.collect.journal import Journal
from monitor.collect.kmsg import Kmsg
from monitor.collect.netlink import messages
from monitor.collect.network_route import NetworkRoute
from monitor.collect.nvidia import Nvidia
from monitor.collect.probes import Probes
from monitor.collect.process_groups import ProcessGroups
from monitor.collect.qdisc import Qdisc
from monitor.collect.sysctl import Sysctl
from monitor.collect.systemd import SOCKET, Systemd
from monitor.collect.tcpstat import Tcpstat
from monitor.collect.textfile import Textfile
from monitor.collect.time import Time
from monitor.collect.timex import Answer, Timex
from monitor.collect.tree import Samples, Tree
from monitor.collect.uname import Uname
from monitor.collect.workers import Pool
from monitor.model import Block, Series
from tests.collect.systemd_bus import bus

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
NOW = 1_767_229_200.25
NAMES = ("Linux", "desktop", "6.18.0", "#1 SMP", "x86_64")


class Dated(Textfile):
    """Files that were all written at one time, as a copy of them has another."""

    def samples(self, tree: Tree) -> Samples:
        texts = {path: repr(NOW) if path.endswith("~") else text for path, text in tree.texts.items()}
        return super().samples(Tree(tree.folders, texts))


class Answered(Systemd):
    """Asks what stands for a bus with systemd, on the one recorded machine that has it."""

    async def refresh(self, host: Host) -> list[Block]:
        if not host.rootfs.endswith("/rack/root"):
            raise FileNotFoundError(SOCKET)
        with TemporaryDirectory() as folder, bus(Path(folder)):
            return await super().refresh(Host(rootfs=folder))


class Answering(Probes):
    """Asks for one of the recorded machines."""

    async def refresh(self, host: Host) -> list[Block]:
        if not host.rootfs.endswith("/rack/root"):
            raise FileNotFoundError("no targets")
        return await super().refresh(host)


class Named(Containers):
    """Knows what Docker would tell, and asks nobody."""

    async def refresh(self, host: Host) -> list[Block]:
        self._engine = Engine(clock=lambda: 0.0)
        self._engine.known = {"0123456789abcdef" * 4: Names("web", "nginx:1.27")}
        self._engine.answers = {"/run/docker.sock": True}
        return await super().refresh(host)


class Read(Journal):
    """Has read what the journal of the one recorded machine with one has, a pass ago."""

    def __init__(self) -> None:
        super().__init__(past=True)

    def collect(self, host: Host) -> Iterator[Block]:
        list(super().collect(host))
        while any(file.waiting for file in self._follower.files):
            list(super().collect(host))  # It was not in memory.
        yield from super().collect(host)


def host(machine: str) -> Host:
    """A recorded machine."""
    root = FIXTURES / machine
    return Host(str(root / "proc"), str(root / "sys"), str(root / "root"))


def collector(name: str) -> Collector | Background:
    """A collector by its name, with what is no file replaced by something that is the same everywhere."""
    made: dict[str, Collector | Background] = {
        "containers": Named(),
        "ethtool": Ethtool(pool=Pool(HERE / "drivers.py")),
        "filesystem": Filesystem(pool=Pool(HERE / "answers.py")),
        "journal": Read(),
        "kmsg": Kmsg(opened=messages_of),
        "nvidia": Nvidia(folder=HERE / "nvml"),
        "probes": Answering(
            targets=["https://example.org/", "icmp://192.0.2.1"], pool=Pool(HERE / "prober.py")
        ),
        "process_groups": ProcessGroups(kept=0, clock=lambda: 50.0, spent=lambda: 0.0),
        "systemd": Answered(restarts=True, tasks=True, start_times=True),
        "textfile": Dated(),
        "time": Time(wall=lambda: NOW, local=time.gmtime),
        "network_route": NetworkRoute(ask=answered),
        "qdisc": Qdisc(ask=answered),
        "sysctl": Sysctl(["kernel.pid_max", "fs.file-nr:used,free,limit"], ["kernel.domainname"]),
        "tcpstat": Tcpstat(ask=answered),
        "timex": Timex(clock),
        "uname": Uname(lambda: os.uname_result(NAMES)),
    }
    return made[name] if name in made else COLLECTORS[name]()


def messages_of(path: str) -> int:
    """What the kernel of the one recorded machine that tells had said, a record for each read."""
    lines = Path(path).read_bytes().splitlines()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for line in lines:
            theirs.send(line + b"\n")
        return ours.detach()


async def answered(protocol: int, kind: int, question: bytes) -> AsyncIterator[bytes]:
    """What the kernel of the recorded machine answered over netlink."""
    recorded = HERE / "netlink" / f"{protocol}-{kind}-{question[0]}.bin"
    for _, content in messages(recorded.read_bytes()):
        yield content


def clock(answer: Answer) -> int:
    """What adjtimex says of a clock that is 1.5 ms off and follows a server."""
    answer.status, answer.offset, answer.freq, answer.maxerror = 0x2001, 1_500_000, -3_276_800, 40_000
    answer.esterror, answer.constant, answer.tick, answer.tai = 250, 7, 10_000, 37
    return 0


def collected(source: Collector | Background, host: Host) -> list[Block]:
    """What a collector gives, whichever kind it is; it holds nothing afterwards."""
    if isinstance(source, Background):
        return asyncio.run(refreshed(source, host))
    try:
        return list(source.collect(host))
    finally:
        if isinstance(source, Holding):
            source.close()


async def refreshed(source: Background, host: Host) -> list[Block]:
    try:
        return list(await source.refresh(host))
    finally:
        await source.close()
        host.reader.close()


def numbers(blocks: Iterable[Block]) -> dict[Series, float]:
    """Value by series; a series twice is an error."""
    found: dict[Series, float] = {}
    for block in blocks:
        for series, value in zip(block.layout.series, block.values, strict=True):
            assert series not in found, f"{series} twice"
            found[series] = float(value)
    return found


def page(blocks: Iterable[Block]) -> str:
    """The samples as sorted lines of `name{labels} value`."""
    return "".join(sorted(f"{text(series)} {value!r}\n" for series, value in numbers(blocks).items()))


def text(series: Series) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in series.labels)
    return f"{series.name}{{{labels}}}" if labels else series.name
