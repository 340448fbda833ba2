"""How long each kind of death stays unnoticed: `python -m tests.deaths`, as root (network namespaces).

Real viewers in processes of their own, one service in this one.  Prints the table of docs/liveness.md.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import NamedTuple

from monitor.app import Service
from monitor.config import load
from monitor.stream.session import Session
from tests.deaths.test_deaths import PEER, Watch, close, kill, said, stop
from tests.network import Network, network, run

HERE, THERE = "198.18.45.1", "198.18.45.2"
P, T, D, S, C, H = 1.0, 1.0, 1.0, 0.2, 1.0, 1.0
FLAGS = {"ping_interval": P, "ping_timeout": T, "no_drain": D, "sweep_interval": S}
FLAGS |= {"close_timeout": C, "handshake_timeout": H}
STEP = 0.2
"""Seconds between two ticks."""
BATCH = 8
"""Viewers at once."""
RESETS = 1.0
"""Seconds allowed to the kernel and this machine for what it tells by itself."""


class Death(NamedTuple):
    name: str
    peer: str
    die: Callable[[Process], None] | None
    """None: it is dead from the beginning, or the link is cut."""
    bound: float
    formula: str


ANY = P + max(T, D) + 2 * S
DEATHS = (
    Death("closes", "healthy", close, RESETS, "at once"),
    Death("killed", "healthy", kill, RESETS, "at once"),
    Death("stopped (SIGSTOP)", "healthy", stop, ANY, "P + max(T, D) + 2 S"),
    Death("reads and never answers a ping", "mute", None, ANY, "P + max(T, D) + 2 S"),
    Death("answers pings and never reads", "deaf", None, ANY, "P + max(T, D) + 2 S"),
)
CUT = Death("link cut without a word", "healthy", None, D + STEP + 2 * S, "D + 1/r + 2 S")
HEAD = b"GET /live HTTP/1.1\r\nHost: localhost\r\n"
UNFINISHED = {
    "connects and asks nothing": b"",
    "half a header": HEAD,
    "a request without its body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
}


class Found(NamedTuple):
    name: str
    reasons: str
    seconds: list[float]
    bound: float
    formula: str

    def __str__(self) -> str:
        median, most = statistics.median(self.seconds), max(self.seconds)
        figures = f"{len(self.seconds)} | {median:.2f} s | {most:.2f} s | {self.bound:.2f} s = {self.formula}"
        return f"| {self.name} | {self.reasons} | {figures} |"


@asynccontextmanager
async def service() -> AsyncIterator[tuple[Service, Watch, int]]:
    with TemporaryDirectory(prefix="deaths-") as folder:
        settings = {
            "server.listen": f"{HERE}:0",
            "access.anonymous": "operator",
            "storage.path": folder,
            "collect.interval": f"{round(1000 * STEP)}ms",
            **{f"server.websocket.{name}": f"{round(1000 * value)}ms" for name, value in FLAGS.items()},
        }
        made = Service(load(None, {}, settings).settings)
        async with made.running() as url:
            yield made, Watch(made), int(url.rsplit(":", 1)[1].strip("/"))
        assert made.telemetry.zombies == made.telemetry.orphans == 0


async def join(made: Service, space: Network, port: int, kind: str) -> tuple[Process, Session, float]:
    """A viewer that follows the stream, and when it came."""
    command = space.inside(sys.executable, str(PEER), HERE, str(port), kind)
    known = set(made.audience.connections)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    while not set(made.audience.connections) - known:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)
    (session,) = set(made.audience.connections) - known
    came = made.audience.awake()
    while not (await said(process)).startswith("subscribed"):
        pass
    return process, session, came


async def batch(
    made: Service, watch: Watch, space: Network, port: int, death: Death
) -> list[tuple[float, str]]:
    joined = [await join(made, space, port, death.peer) for _ in range(BATCH)]
    try:
        return list(
            await asyncio.gather(
                *(life(made, watch, death, *each) for each in joined), return_exceptions=False
            )
        )
    finally:
        for process, _, _ in joined:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def life(
    made: Service, watch: Watch, death: Death, process: Process, session: Session, came: float
) -> tuple[float, str]:
    """Seconds from its death to its removal, and the reason counted."""
    reading = asyncio.create_task(drain(process))
    dies = came
    if death.die is not None:
        await asyncio.sleep(random.uniform(0, P + S))
        dies = made.audience.awake()
        death.die(process)
    elif death is CUT:
        dies = made.audience.awake()
    at, reason = await asyncio.wait_for(watch.end_of(session), 60)
    reading.cancel()
    return at - dies, reason


async def drain(process: Process) -> None:
    """A viewer that prints to a full pipe would stop."""
    assert process.stdout is not None
    while await process.stdout.read(1 << 16):
        pass


async def measure(death: Death, space: Network, runs: int) -> Found:
    found: list[tuple[float, str]] = []
    async with service() as (made, watch, port):
        while len(found) < runs:
            found += await batch(made, watch, space, port, death)
    reasons = ", ".join(sorted({reason for _, reason in found}))
    return Found(death.name, reasons, [seconds for seconds, _ in found], death.bound, death.formula)


async def measure_cut(space: Network, runs: int) -> Found:
    found: list[tuple[float, str]] = []
    async with service() as (made, watch, port):
        while len(found) < runs:
            joined = [await join(made, space, port, CUT.peer) for _ in range(BATCH)]
            await asyncio.sleep(random.uniform(0, P + S))
            for chain in ("INPUT", "OUTPUT"):
                run(*space.inside("iptables", "-w", "-A", chain, "-j", "DROP"))
            found += await asyncio.gather(*(life(made, watch, CUT, *each) for each in joined))
            run(*space.inside("iptables", "-w", "-F"))
            for process, _, _ in joined:
                process.kill()
                await process.wait()
    reasons = ", ".join(sorted({reason for _, reason in found}))
    return Found(CUT.name, reasons, [seconds for seconds, _ in found], CUT.bound, CUT.formula)


async def unfinished(name: str, sent: bytes, runs: int) -> Found:
    async with service() as (made, _, port):
        seconds = await asyncio.gather(*(wait(port, sent) for _ in range(runs)))
        (reason,) = made.telemetry.expired
    return Found(name, reason, list(seconds), H + S, "H + S")


async def wait(port: int, sent: bytes) -> float:
    await asyncio.sleep(random.uniform(0, 2 * S))
    reader, writer = await asyncio.open_connection(HERE, port)
    begun = time.monotonic()
    writer.write(sent)
    await reader.read()
    writer.close()
    return time.monotonic() - begun


async def main(runs: int) -> None:
    settings = (
        f"P = {P:g} s, T = {T:g} s, D = {D:g} s, S = {S:g} s, H = {H:g} s, a tick every 1/r = {STEP:g} s"
    )
    sys.stdout.write(f"{settings}\n\n| kind | counted as | runs | median | longest | bound |\n")
    sys.stdout.write("| --- | --- | --- | --- | --- | --- |\n")
    with network("monitor-found", "monfound", HERE, THERE) as space:
        for death in DEATHS:
            sys.stdout.write(f"{await measure(death, space, runs)}\n")
            sys.stdout.flush()
        sys.stdout.write(f"{await measure_cut(space, runs)}\n")
        for name, sent in UNFINISHED.items():
            sys.stdout.write(f"{await unfinished(name, sent, runs)}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.deaths", description=__doc__)
    parser.add_argument("--runs", type=int, default=24, help="of each kind, at least")
    asyncio.run(main(parser.parse_args().runs))
