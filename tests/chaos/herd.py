"""Thousands of viewers whose service restarts: `python -m tests.chaos.herd --clients 5000`.

All are told to come back within a time, do so at random moments, and resume.  What is measured: when the last
is back and whole, whether the new service missed a tick meanwhile and how late its ticks came, and its CPU.
With `--kept` the listening socket outlives the service, as systemd keeps it, and nobody may be refused.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from tests.chaos.member import Member, Tally, hole
from tests.chaos.processes import PORT, Service, running
from tests.chaos.questions import steady
from tests.kept import kept_socket

TURNS = 2
"""Ticks that all must be sent when all have come, and after the last has come back."""
PATIENCE = 120
"""Seconds for all to come, or to come back."""


@dataclass
class Return:
    """Times are seconds since the service was told to end."""

    clients: int
    spread: float
    """Within which the viewers were told to come back."""
    gone: float
    """When the old service had ended."""
    farewell: float
    """CPU seconds that it took to end."""
    listening: float
    """When the new one listened."""
    last_back: float
    """When the last viewer had its answer."""
    cpu: float
    """CPU seconds of the new service until then, its start included."""
    refused: int
    """Attempts that found nobody listening, or were cut."""
    missed: float
    """Ticks that the new service left out, by its own count."""
    first_late: float
    """Most seconds from a tick's time to the first viewer that had it, while viewers came back."""
    last_late: float
    """Most seconds from a tick's time to the last viewer that had it."""
    hole: float
    """Seconds of columns that nobody measured, from the last of the old service to the first of the new."""
    answered: int
    """Questions over HTTP that were asked all the while."""
    failed: int
    """Those that were not answered."""
    turned_away: int
    """Those of them that found nobody listening."""
    slowest: float
    """Seconds to the slowest answer."""
    wrong: list[str] = field(default_factory=list)
    """Viewers that are not whole, and why."""


async def come_back(
    clients: int,
    folder: Path,
    settings: dict[str, str],
    profile: Sequence[str] = (),
    *,
    keep: bool = False,
) -> Return:
    """Restart a service that has so many viewers, on a socket that is kept or not.

    `profile` is a command that gets its new process id.
    """
    number = os.getpid() % 65536
    host = f"127.{64 + number // 256 // 4}.{number // 256}.{number % 256 or 1}"
    room = {f"server.websocket.{name}": str(2 * clients) for name in ("max_clients", "per_address")}
    async with AsyncExitStack() as stack:
        kept = stack.enter_context(kept_socket(host, PORT)) if keep else None
        service = await stack.enter_async_context(running(folder, host, {**room, **settings}, kept))
        tally = Tally()
        members = [Member(tally, host, PORT, seed) for seed in range(clients)]
        tasks = [asyncio.create_task(member.run()) for member in members]
        try:
            async with asyncio.timeout(PATIENCE):
                await tally.back(members)
                async with steady(host, PORT) as questions:
                    found = await restart(service, members, tally, profile)
            return replace(found, **vars(questions))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def restart(service: Service, members: list[Member], tally: Tally, profile: Sequence[str]) -> Return:
    await tally.at(members, max(member.n for member in members) + TURNS)
    began = time.time()
    tally.arrived.clear()
    back = asyncio.create_task(tally.back(members))
    assert service.process is not None
    before = spent(service.process.pid) + spent_by_ended()
    await service.end(signal.SIGTERM)
    gone, farewell = time.time(), spent_by_ended() - before
    await service.start()
    listening = time.time()
    if profile:
        await asyncio.create_subprocess_exec(*profile, str(service.process.pid), stdout=sys.stderr)
    await back
    last_back, cpu = time.time(), spent(service.process.pid)
    await tally.at(members, max(member.n for member in members) + TURNS)
    late = [seen for seen in tally.arrived.values() if listening < seen.first < last_back + 1]
    return Return(
        clients=len(members),
        spread=max(tally.spreads, default=0),
        gone=gone - began,
        farewell=farewell,
        listening=listening - began,
        last_back=last_back - began,
        cpu=cpu,
        refused=tally.refused,
        missed=await metric(service.host, "monitor_ticks_missed_total"),
        first_late=max((seen.first - seen.time for seen in late), default=0.0),
        last_late=max((seen.last - seen.time for seen in late), default=0.0),
        hole=hole(members),
        answered=0,
        failed=0,
        turned_away=0,
        slowest=0.0,
        wrong=wrong(members),
    )


def wrong(members: list[Member]) -> list[str]:
    """Who does not hold every column from the new service's first scrape on."""
    first = min(member.first for member in members if member.first)
    complaints = [text for member in members for text in member.faults]
    return complaints + [f"begins at {member.first}" for member in members if member.first != first]


def spent_by_ended() -> float:
    """CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent(process: int) -> float:
    """CPU seconds of a process (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def metric(host: str, name: str) -> float:
    answer = await AsyncHTTPClient().fetch(f"http://{host}:{PORT}/metrics")
    lines = answer.body.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.chaos.herd", description=__doc__)
    options.add_argument("--clients", type=int, default=5000)
    options.add_argument("--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="a setting")
    options.add_argument("--kept", action="store_true", help="keep the listening socket, as systemd does")
    options.add_argument("--profile", default="", help="a command, which is given the process id at its end")
    chosen = options.parse_args()
    settings = dict(text.split("=", 1) for text in chosen.set)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(
            come_back(chosen.clients, Path(folder), settings, chosen.profile.split(), keep=chosen.kept)
        )
    for name, value in vars(found).items():
        text = f"{value:.2f}" if isinstance(value, float) else str(value[:10]) if name == "wrong" else value
        sys.stdout.write(f"{name:12} {text}\n")
    return int(bool(found.wrong or found.missed))


if __name__ == "__main__":
    sys.exit(main())
