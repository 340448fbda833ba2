"""The whole agent beside others: ours, node_exporter and Netdata watch this host once a second, all of them
over the same span, and nobody looks at what they found.

Each is as its package starts it.  What counts are all its processes, whatever they are for.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.alternate import Figures, alternate
from benchmarks.family import Family
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import Server, compiled, free_port, monitor, running

SETTLE = 0.25
"""Of the span, so long goes by before it, until what a start costs is over."""
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
    """CPU of a sample, share of a core and memory, beside each that is installed."""
    found = alternate(options.runs, {"side by side": lambda: figures(options)})["side by side"]
    others = [name for name in options.beside if f"{name} share" in found]
    for name in others or [""]:
        beside = {key: found.get(f"{name} {key}") for key in ("sample", "share", "memory")}
        yield Row("agent: a sample", found["ours sample"], "us", name, beside["sample"], ratio_most=0.2)
        yield Row("agent: share of a core", found["ours share"], "%", name, beside["share"], most=0.5)
        yield Row("agent: all its memory", found["ours memory"], "MiB", name, beside["memory"], most=70)
        yield Row("agent: samples a second", found["ours samples"], "1/s", name, found.get(f"{name} samples"))


def figures(options: Options) -> Figures:
    """Of all agents over one span."""
    with TemporaryDirectory(prefix="bench-") as place, ExitStack() as stack:
        agents: dict[str, Agent] = {}
        for name in ("ours", *options.beside):
            program, start = AGENTS[name]
            if not shutil.which(program):
                progress(f"left out: {name}, for lack of {program}")
                continue
            folder = Path(place, name)
            folder.mkdir()
            agents[name] = stack.enter_context(start(folder))
        return spent(agents, options.agents)


def spent(agents: Mapping[str, Agent], seconds: float) -> dict[str, float]:
    """What each used over a span."""
    watch(agents, SETTLE * seconds)
    families = {name: Family(agent.server.pid) for name, agent in agents.items()}
    before = {name: family.cpu() for name, family in families.items()}
    began = time.monotonic()
    watch(agents, seconds)
    cpu = {name: family.cpu() - before[name] for name, family in families.items()}
    span = time.monotonic() - began
    memory = {name: family.memory() for name, family in families.items()}
    found: dict[str, float] = {}
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


def watch(agents: Mapping[str, Agent], seconds: float) -> None:
    """Let time go by, in which those that wait to be asked are asked once a second."""
    asked = [HTTPConnection("127.0.0.1", each.server.port) for each in agents.values() if each.scraped]
    until = due = time.monotonic()
    until += seconds
    while due < until:
        for connection in asked:
            answer(connection, "/metrics")
        due += 1
        time.sleep(max(0.0, min(due, until) - time.monotonic()))
    for connection in asked:
        connection.close()


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
    return sum(len(each["dimensions"]) / each["update_every"] for each in charts)


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
