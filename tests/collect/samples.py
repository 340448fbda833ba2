"""What collectors give, as lines that a person can read and as numbers by series."""

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from monitor.collect import COLLECTORS, Background, Collector, Host
from monitor.collect.ethtool import Ethtool
from monitor.collect.filesystem import Filesystem
from monitor.collect.process_groups import ProcessGroups
from monitor.collect.systemd import SOCKET, Systemd
from monitor.collect.textfile import Textfile
from monitor.collect.time import Time
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


def host(machine: str) -> Host:
    """A recorded machine."""
    root = FIXTURES / machine
    return Host(str(root / "proc"), str(root / "sys"), str(root / "root"))


def collector(name: str) -> Collector | Background:
    """A collector by its name, with what is no file replaced by something that is the same everywhere."""
    made: dict[str, Collector | Background] = {
        "ethtool": Ethtool(pool=Pool(HERE / "drivers.py")),
        "filesystem": Filesystem(pool=Pool(HERE / "answers.py")),
        "process_groups": ProcessGroups(clock=lambda: 50.0, spent=lambda: 0.0),
        "systemd": Answered(restarts=True, tasks=True, start_times=True),
        "textfile": Dated(),
        "time": Time(wall=lambda: NOW, local=time.gmtime),
        "uname": Uname(lambda: os.uname_result(NAMES)),
    }
    return made[name] if name in made else COLLECTORS[name]()


def collected(source: Collector | Background, host: Host) -> list[Block]:
    """What a collector gives, whichever kind it is."""
    if isinstance(source, Background):
        return asyncio.run(refreshed(source, host))
    return list(source.collect(host))


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
