"""Bad configurations under load: the service is sent SIGHUP for each, while viewers check what they get."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.testing import bind_unused_port

from monitor.config import ConfigError, load
from monitor.config.facts import facts
from monitor.queries import judge
from tests.chaos.line import Place
from tests.chaos.processes import LONGEST_LINE, ROOT, Told
from tests.chaos.truth import Count, Truth, ask, compare
from tests.chaos.viewer import Viewer
from tests.faults.figures import figures, held
from tests.faults.mutations import GOOD, mutated
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played

TITLE = "F1: bad configurations, reloaded under load"
FILES, VIEWERS = 500, 50
EACH = 10
"""Viewers of one process: what they hold in the end has to fit into a line."""
GOOD_EVERY = 5
"""A right file follows so many mutated ones."""
LEARN_EVERY = 60
"""Files between two questions for what is right; the service is asked for two minutes of it."""
MOMENTS = 30
"""Ticks in which what is open for a moment is closed."""
PATIENCE = 60
HOST = "127.0.0.1"


@dataclass
class Outcome:
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """In words: what was not as promised."""
    compared: Count = field(default_factory=Count)
    connections: int = 0
    missed: int = 0
    """Passes over the host that were left out."""
    descriptors: int = 0
    """Open at the end, beyond those at the beginning."""

    def add(self, compared: Count) -> None:
        self.compared.columns += compared.columns
        self.compared.mismatches += compared.mismatches


def rows(options: Options) -> Iterator[Row]:
    found = played(lambda folder: campaign(folder, options.of(FILES), options.seed))
    yield from told(found, VIEWERS)


def told(found: Outcome, viewers: int) -> Iterator[Row]:
    counts = found.counts
    yield Row("mutated files reloaded by SIGHUP", counts["mutated"])
    yield Row("refused, each with its places in the log and over HTTP", counts["refused"])
    yield Row("right all the same, and taken", counts["taken"])
    yield Row("right files between them, all taken", counts["good"])
    yield Row("not taken or refused as it should have been", len(found.wrong), not found.wrong)
    yield Row(
        "viewers, and connections that they needed",
        f"{viewers}, {found.connections}",
        found.connections == viewers,
    )
    yield Row("columns compared with the range query", found.compared.columns)
    yield Row("of them missing or different", len(found.compared.mismatches), not found.compared.mismatches)
    yield Row("passes over the host left out", found.missed, not found.missed)
    yield Row("descriptors open beyond those at the beginning", found.descriptors, found.descriptors <= 0)


async def campaign(folder: Path, files: int, seed: int, viewers: int = VIEWERS, **settings: str) -> Outcome:
    """So many mutated files, with right ones between them."""
    found = Outcome()
    async with reloading(folder, settings) as service, watching(service, viewers) as (crowds, clock):
        await service.reload(b"{}")  # Every collector has opened what it keeps open.
        await clock.reach(clock.book.n + 2)
        descriptors = service.descriptors()
        truth: Truth | None = None
        for number in range(files):
            await service.mutate(found, mutated(seed * 100_000 + number), f"file {number}")
            if number % GOOD_EVERY == GOOD_EVERY - 1 or number == files - 1:
                await service.right(found, number)
            if number % LEARN_EVERY == LEARN_EVERY - 1:
                truth = await learn(service, clock, truth)
                progress(f"{number + 1} files, wrong: {found.wrong}")
        await service.burst(found)
        goal = clock.book.n + 2
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(clock.reach(goal), *(crowd.ask({"reach": goal}) for crowd in crowds))
        truth = await learn(service, clock, truth)
        for crowd in crowds:
            reports = [*await crowd.ask({"report": True})]
            found.add(compare(reports, [truth], goal * clock.book.step))
            found.connections += sum(report["connections"] for report in reports)
        found.missed = round(await service.metric("monitor_ticks_missed_total"))
        found.descriptors = await left(service, clock, descriptors)
    return found


async def left(service: Reloading, clock: Viewer, before: Counter[str]) -> int:
    """Descriptors beyond those before, once what is open for a moment (a worker beside one that is late)
    is closed."""
    for _ in range(MOMENTS):
        more = (service.descriptors() - before).total()
        if not more:
            break
        await clock.reach(clock.book.n + 1)
    return more


async def learn(service: Reloading, clock: Viewer, before: Truth | None) -> Truth:
    """What the service held until now, added to what it held before."""
    book = clock.book
    now = await ask(HOST, service.port, book.chapters[-1].epoch, book.n * book.step, book.step)
    return now if before is None else Truth(now.epoch, now.step, {**before.columns, **now.columns})


class Reloading:
    """`monitor serve` with a file, which says when it has reloaded it (sd_notify(3))."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        self.path = folder / "config.yaml"
        self.state = folder / "state"
        self.log = folder / "service.log"
        self.port = port
        pinned = {
            "SERVER__LISTEN": f"{HOST}:{port}",
            "STORAGE__PATH": str(self.state),
            "ACCESS__ANONYMOUS": "operator",
            "COLLECT__INTERVAL": "1s",
            **settings,
        }
        self.environment = {f"MONITOR_{name}": value for name, value in pinned.items()}
        self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inbox.setblocking(False)
        self.inbox.bind(str(folder / "notify"))
        self.process: Process | None = None

    async def start(self) -> None:
        self.path.write_text(GOOD)
        notify = {"NOTIFY_SOCKET": str(self.path.with_name("notify"))}
        with self.log.open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "monitor", "serve", "--config", str(self.path)),
                cwd=ROOT,
                env={**os.environ, **self.environment, **notify},
                stdout=DEVNULL,
                stderr=log,
            )
        await self.heard("READY=1")

    async def end(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), PATIENCE)
        self.inbox.close()

    def descriptors(self) -> Counter[str]:
        """What it has open."""
        assert self.process is not None
        return held(self.process.pid)

    async def heard(self, what: str) -> None:
        """Until it says so."""
        async with asyncio.timeout(PATIENCE):
            while what not in (await asyncio.get_running_loop().sock_recv(self.inbox, 4096)).decode().split(
                "\n"
            ):
                pass

    def hang_up(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    async def reload(self, text: bytes) -> None:
        """Returns when it is over, whatever came of it."""
        self.path.write_bytes(text)
        self.hang_up()
        await self.heard("RELOADING=1")
        await self.heard("READY=1")

    def holds(self) -> dict[str, str]:
        """What it runs on."""
        held = json.loads((self.state / "running.json").read_text())["settings"]
        return {path: text for path, (text, _) in held.items()}

    async def get(self, path: str) -> bytes:
        answer = await AsyncHTTPClient().fetch(f"http://{HOST}:{self.port}{path}", request_timeout=PATIENCE)
        return answer.body

    async def metric(self, name: str) -> float:
        return figures(await self.get("/metrics"))[name]

    async def mutate(self, found: Outcome, text: bytes, name: str) -> None:
        """Reload a file that may be wrong, and see that it is judged as `monitor check-config` judges it."""
        before, logged = self.holds(), self.log.stat().st_size
        await self.reload(text)
        found.counts["mutated"] += 1
        told = json.loads(await self.get("/api/boards"))["configuration"]
        successful = await self.metric("monitor_config_last_reload_successful")
        with self.log.open() as log:
            log.seek(logged)
            lines = log.read()
        try:
            load(self.path, self.environment, {}, judge)
        except ConfigError as error:
            found.counts["refused"] += 1
            first = error.problems[0]
            known = lines.count("the configuration was not taken") == 1 and str(first.place) in lines
            if (told["count"], successful, self.holds()) != (len(error.problems), 0, before) or not known:
                found.wrong.append(f"{name}: {first}: {told}, {lines[:500]}")
        else:
            found.counts["taken"] += 1
            if told["problems"] or not successful:
                found.wrong.append(f"{name}: right, and not taken: {told}")

    async def right(self, found: Outcome, number: int) -> None:
        """Reload a file with nothing wrong but that it is another one."""
        await self.reload(GOOD.replace("max_clients: 500", f"max_clients: {600 + number}").encode())
        found.counts["good"] += 1
        wanted = facts(load(self.path, self.environment, {}).settings)
        if self.holds() != {path: fact.text for path, fact in wanted.items()}:
            found.wrong.append(f"a right file after {number} was not taken")

    async def burst(self, found: Outcome) -> None:
        """Signals one upon the other, and then the last word."""
        for number in range(50):
            self.path.write_text(GOOD if number % 2 else "server: {listen: 1}")
            self.hang_up()
        await self.right(found, 10_000)
        while self.holds()["server.websocket.max_clients"] != "10600":
            await self.heard("READY=1")


@asynccontextmanager
async def reloading(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Reloading]:
    unused, port = bind_unused_port()
    unused.close()
    service = Reloading(folder, port, settings)
    try:
        await service.start()
        yield service
    finally:
        with suppress(ProcessLookupError):
            await service.end()


@asynccontextmanager
async def watching(service: Reloading, viewers: int) -> AsyncIterator[tuple[list[Told], Viewer]]:
    """Viewers in processes of their own, and one here; all are sent ticks."""
    places = [[number, Place(HOST, HOST, service.port, HOST, number % 3 != 0)] for number in range(viewers)]
    crowds = [await begun(places[first : first + EACH]) for first in range(0, viewers, EACH)]
    clock = Viewer(Place(HOST, HOST, service.port, HOST, deflate=True), seed=1)
    task = asyncio.create_task(clock.run())
    try:
        await clock.reach(1)
        await asyncio.gather(*(crowd.ask({"reach": clock.book.n + 1}) for crowd in crowds))
        yield crowds, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for crowd in crowds:
            await crowd.end()


async def begun(places: list[list[Any]]) -> Told:
    command = (sys.executable, "-m", "tests.chaos.crowd", json.dumps(places))
    return Told(
        await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE)
    )


def holes(outcome: Outcome) -> list[Any]:
    """Everything that was not as promised, for a test to show."""
    return [*outcome.wrong, *outcome.compared.mismatches]
