"""The whole agent, alone and beside others: ours, node_exporter and Netdata watch this host once a second,
over the same span, and nobody looks at what they found.

Each is as its package starts it.  What counts are all its processes, whatever they are for.  Our pass alone,
from the kernel's files into memory, is measured meanwhile in a process of its own: this one.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.alternate import Figures, alternate
from benchmarks.family import Family
from benchmarks.host import Watched
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import Server, compiled, free_port, monitor, running

SETTLE = 0.25
"""Of the span, so long goes by before it, until what a start costs is over."""
REST = 0.3
"""Seconds between asking others and our own pass."""
MEBIBYTE = 1 << 20
NETDATA = """\
[global]
    run as user = root
    bind socket to IP = 127.0.0.1
[directories]
    cache = {folder}/cache
    lib = {folder}/lib
    log = {folder}/log
    lock = {folder}/lib
[web]
    default port = {port}
"""
"""Debian's, but for where it keeps what and who it runs as."""
QUIET = {"DO_NOT_TRACK": "1"}


class Agent(NamedTuple):
    """One that runs."""

    server: Server
    samples: Callable[[HTTPConnection], float]
    """How many it takes in a second."""
    scraped: bool = False
    """Whether it measures only when it is asked."""


def rows(options: Options) -> Iterator[Row]:
    """CPU of a sample, share of a core and memory, alone and beside each that is installed."""
    spans = {
        "alone": lambda: figures(options.agents, ()),
        "beside": lambda: figures(options.agents, options.beside),
    }
    found = alternate(options.runs, spans)
    alone, beside = found["alone"], found["beside"]
    yield Row("agent alone: share of a core", alone["ours share"], "%", most=0.5)
    yield Row("agent alone: all its memory", alone["ours memory"], "MiB", most=70)
    yield Row("agent alone: a pass into memory, a sample", alone["pass"], "us", most=1.7)
    for name in options.beside:
        if f"{name} share" not in beside:
            continue
        them = {key: beside[f"{name} {key}"] for key in ("sample", "share", "memory", "samples")}
        yield Row(
            "agent: a pass into memory, a sample", beside["pass"], "us", name, them["sample"], None, 0.2
        )
        yield Row("agent: a sample, all of it", beside["ours sample"], "us", name, them["sample"])
        yield Row("agent: share of a core", beside["ours share"], "%", name, them["share"])
        yield Row("agent: all its memory", beside["ours memory"], "MiB", name, them["memory"])
        yield Row("agent: samples a second", beside["ours samples"], "1/s", name, them["samples"])


def figures(seconds: float, others: Iterable[str]) -> Figures:
    """Of ours and these others over one span."""
    with TemporaryDirectory(prefix="bench-") as place, ExitStack() as stack:
        agents: dict[str, Agent] = {}
        for name in ("ours", *others):
            program, start = AGENTS[name]
            if not shutil.which(program):
                progress(f"left out: {name}, for lack of {program}")
                continue
            folder = Path(place, name)
            folder.mkdir()
            agents[name] = stack.enter_context(start(folder))
        return spent(agents, seconds)


def spent(agents: Mapping[str, Agent], seconds: float) -> dict[str, float]:
    """What each used over a span in which it was asked once a second, and our pass in this process."""
    watched = Watched(1.0 - REST)
    families = {name: Family(agent.server.pid) for name, agent in agents.items()}
    asked = [HTTPConnection("127.0.0.1", each.server.port) for each in agents.values() if each.scraped]
    warm = max(1, round(SETTLE * seconds))
    before: dict[str, float] = {}

    def between() -> None:
        if len(watched.cpu) == warm:
            before.update(clock=time.monotonic(), **{name: each.cpu() for name, each in families.items()})
        for connection in asked:
            answer(connection, "/metrics")
        time.sleep(REST)  # Others use the caches before our pass does.

    watched.passes(warm + max(1, round(seconds)), between)
    cpu = {name: each.cpu() - before[name] for name, each in families.items()}
    span = time.monotonic() - before["clock"]
    memory = {name: each.memory() for name, each in families.items()}
    found = {"pass": fmean(watched.cpu[warm:]) / watched.samples * 1e6}
    for connection in asked:
        connection.close()
    for name, agent in agents.items():
        with closing(HTTPConnection("127.0.0.1", agent.server.port)) as connection:
            samples = agent.samples(connection)
        found |= {
            f"{name} sample": cpu[name] / span / samples * 1e6,
            f"{name} share": cpu[name] / span * 100,
            f"{name} memory": memory[name] / MEBIBYTE,
            f"{name} samples": samples,
        }
    return found


def answer(connection: HTTPConnection, path: str) -> bytes:
    """Raises RuntimeError for any status but 200."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path}: status {response.status}: {body[:200]!r}")
    return body


def lines(connection: HTTPConnection) -> float:
    """The samples of a page for Prometheus."""
    return sum(not line.startswith(b"#") for line in answer(connection, "/metrics").splitlines())


def dimensions(connection: HTTPConnection) -> float:
    """Those of all of Netdata's charts, each as often as it is measured."""
    charts = json.loads(answer(connection, "/api/v1/charts"))["charts"].values()
    found: float = sum(len(each["dimensions"]) / each["update_every"] for each in charts)
    return found


@contextmanager
def ours(folder: Path) -> Iterator[Agent]:
    with compiled() as environment, monitor(folder, environment=environment) as server:
        server.wait_until("/readyz")
        yield Agent(server, lines)


@contextmanager
def node_exporter(folder: Path) -> Iterator[Agent]:
    port = free_port()
    command = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with running(command, port, folder) as server:
        server.wait_for_port()
        yield Agent(server, lines, scraped=True)


@contextmanager
def netdata(folder: Path) -> Iterator[Agent]:
    port, config = free_port(), folder / "netdata.conf"
    for name in ("cache", "lib", "log"):
        (folder / name).mkdir()
    config.write_text(NETDATA.format(folder=folder, port=port), encoding="utf-8")
    with running(["netdata", "-D", "-c", str(config)], port, folder, QUIET) as server:
        server.wait_for_port()
        yield Agent(server, dimensions)


AGENTS = {
    "ours": (sys.executable, ours),
    "node_exporter": ("prometheus-node-exporter", node_exporter),
    "Netdata": ("netdata", netdata),
}
"""The program and how it is started, by name."""
