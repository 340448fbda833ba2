"""Fan-out: server CPU for each message that a viewer got, on the overview board, once a second.

The same payload by Tornado's plain `write_message`, by a C loop around send(2), and by two more servers where
they are installed.  Servers on the first core, the load generator on the second.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import generator
from benchmarks.alternate import Figures, alternate
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import Server, free_port, monitor, running
from benchmarks.viewer import newest_tick

BASELINES = Path(__file__).parent / "baselines"
WANTED = (
    "srv_cpu_us_per_msg",
    "srv_connect_cpu_us_per_conn",
    "srv_rss_KB_per_conn_idle",
    "lat_ms_p99",
    "msgs_per_s",
)
DEFLATE = ("--deflate", "--inflate")
PLAIN = {"compression": "false"}
UNASKED = {
    "ping_interval": "1h",
    "park_after": "1h",
    "credit_ticks": "10000",
    "credit_bytes": "1MiB",
}
"""No ping within the measurement, and credit for all of it, so that the service only writes."""
PROLOGUE = 52
"""Bytes that climit puts before its payload."""

Contestant = Callable[[], Figures]


def rows(options: Options) -> Iterator[Row]:
    """A block of rows for each number of viewers."""
    with generator.built("wsload", "climit") as programs, folder() as place:
        with monitor(place) as server:
            server.wait_until("/readyz")
            payload = place / "tick.json"
            payload.write_text(newest_tick(server), encoding="utf-8")
        for clients in options.clients:
            progress(f"fan-out to {clients} viewers")
            round_ = Round(programs, payload, clients, options)
            yield from report(clients, alternate(options.runs, round_.contestants()))


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


class Round:
    """The contestants at one number of viewers; each call of one starts a fresh server and ends it."""

    def __init__(self, programs: dict[str, str], payload: Path, clients: int, options: Options) -> None:
        self.programs, self.payload, self.clients, self.options = programs, payload, clients, options

    def contestants(self) -> dict[str, Contestant]:
        tornado = [sys.executable, str(BASELINES / "tornado_server.py")]
        broadcast = [sys.executable, str(BASELINES / "websockets_server.py")]
        found: dict[str, Contestant] = {
            "ours": lambda: self.ours(self.clients),
            "tornado": lambda: self.served(tornado),
            "ours, plain": lambda: self.ours(self.clients, generator.VIEWERS, PLAIN),
            "tornado, deflate": lambda: self.served(tornado, "deflate"),
            "ours, writing": lambda: self.ours(self.clients, (*generator.SILENT, *DEFLATE), UNASKED),
            "ours, one viewer": lambda: self.ours(1),
            "c": self.limit,
        }
        if find_spec("websockets"):
            found["websockets"] = lambda: self.served(broadcast)
        else:
            progress("left out: websockets (pip install websockets)")
        if has_ws():
            found["ws"] = lambda: self.served(["node", str(BASELINES / "ws_server.cjs")])
        else:
            progress("left out: Node's ws (npm install ws, and NODE_PATH where it is)")
        return found

    def ours(
        self,
        clients: int,
        viewers: Sequence[str] = (*generator.VIEWERS, *DEFLATE),
        websocket: Mapping[str, str] | None = None,
    ) -> Figures:
        """The service itself; viewers do as the page does, if nothing else is said."""
        with folder() as place, monitor(place, websocket) as server:
            server.wait_until("/readyz")
            return self.measure(server, clients, *viewers, *generator.STAMPS)

    def served(self, command: Sequence[str], *flags: str) -> Figures:
        """A baseline that is given the payload."""
        port = free_port()
        deflate = DEFLATE if flags else ()
        with (
            folder() as place,
            running([*command, str(port), str(self.payload), *flags], port, place) as server,
        ):
            server.wait_for_port()
            return self.measure(server, self.clients, "--path", "/ws", *generator.STAMPS, *deflate)

    def limit(self) -> Figures:
        """send(2) of one prebuilt frame, in C."""
        port = free_port()
        with folder() as place:
            (place / "payloads").mkdir()
            for number in range(16):
                tail = self.payload.read_bytes()[PROLOGUE:]
                (place / "payloads" / f"tick_{number:02d}.json").write_bytes(tail)
            ticks = round(self.options.seconds) + 1
            command = [self.programs["climit"], str(port), "tick", str(ticks), "0", "send"]
            with running(command, port, place) as server:
                server.wait_for_port()
                return self.measure(server, self.clients, "--ready-cmd", f"kill -USR1 {server.pid}")

    def measure(self, server: Server, clients: int, *options: str) -> Figures:
        settle = ("--settle", str(self.options.settle), "--duration", str(self.options.seconds))
        report = generator.load(self.programs["wsload"], server, clients, *settle, *options)
        return generator.figures(report, WANTED)


def has_ws() -> bool:
    if not shutil.which("node"):
        return False
    answer = subprocess.run(["node", "-e", "require('ws')"], capture_output=True, check=False)
    return not answer.returncode


def report(clients: int, found: dict[str, dict[str, float]]) -> Iterator[Row]:
    """The rows of one round."""

    def row(name: str, key: str, unit: str, ours: str, other: str, aim: float | None = None) -> Row:
        baseline = found[other][key]
        return Row(f"{clients:,} viewers: {name}", found[ours][key], unit, NAMES[other], baseline, None, aim)

    cpu, unit = "srv_cpu_us_per_msg", "us"
    alone = found["ours, one viewer"][cpu] / clients
    yield row("a message, all the service does", cpu, unit, "ours", "tornado", 1 / 3)
    yield row("a message, nothing compressed", cpu, unit, "ours, plain", "tornado")
    yield row("a message, both compress", cpu, unit, "ours", "tornado, deflate")
    writing = found["ours, writing"][cpu] - alone
    for other, aim in (("c", 1.2), ("websockets", 1.0), ("ws", 0.5)):
        if other in found:
            name = f"{clients:,} viewers: a message, writing alone"
            yield Row(name, writing, unit, NAMES[other], found[other][cpu], ratio_most=aim)
    yield row("from the sample's second to the last but 1%", "lat_ms_p99", "ms", "ours", "tornado")
    handshake = "srv_connect_cpu_us_per_conn"
    yield row("handshake and subscription", handshake, "us", "ours", "tornado")._replace(most=800)
    memory = "srv_rss_KB_per_conn_idle"
    yield row("resident memory for each", memory, "KiB", "ours", "tornado")._replace(most=20)


NAMES = {
    "tornado": "Tornado write_message",
    "tornado, deflate": "Tornado write_message, its deflate",
    "c": "C send(), uncompressed",
    "websockets": "websockets broadcast()",
    "ws": "Node ws",
}
