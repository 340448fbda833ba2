"""Where a run takes place: the service, its viewers in a namespace, and one here whose ticks are the clock.

Each kind of fault is an asynchronous context manager: it begins on entry, and is lifted on exit.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.chaos.faults import CROWDS, EACH, KINDS, LINKED, VIEWERS, Fault, members
from tests.chaos.line import Place
from tests.chaos.processes import PORT, Service, Told, running
from tests.chaos.truth import Truth, ask
from tests.chaos.viewer import Viewer
from tests.network import Network

SETTINGS = {
    "collect.interval": "200ms",
    "server.websocket.ping_interval": "1s",
    "server.websocket.ping_timeout": "1s",
    "server.websocket.no_drain": "2s",
    "server.websocket.sweep_interval": "200ms",
    "server.websocket.close_timeout": "500ms",
    "server.websocket.ack_after": "500ms",
    "server.websocket.park_after": "1500ms",
    "server.websocket.reconnect_spread": "500ms",
    "server.websocket.send_buffer": "4KiB",
}
"""A fifth of the defaults or less, so that a run of seconds holds what else takes minutes."""
SLOW = 1000
"""Bytes a second: 8 kbit/s."""
FAR = 0.3
"""Seconds each way."""
LOSS = "0.3"


class Stage:
    def __init__(self, network: Network, service: Service, seed: int) -> None:
        self.network = network
        self.service = service
        self.crowds: list[Told] = []
        self.link: Told | None = None
        self.clock = Viewer(Place(network.here, network.here, PORT, network.here, deflate=True), seed)
        self.truths: list[Truth] = []
        self._service_free = asyncio.Lock()

    async def enter(self, exits: AsyncExitStack, seed: int) -> None:
        """Start the viewers; returns when all are sent ticks."""
        watching = asyncio.create_task(self.clock.run())
        exits.callback(watching.cancel)
        addresses = [self.network.there[number] for number in LINKED]
        host = self.network.here
        self.link = await Told.begin(self.network, "tests.chaos.link", host, str(PORT), *addresses)
        exits.push_async_callback(self.link.end)
        ports = dict(zip(LINKED, await self.link.answer(), strict=True))
        for crowd in range(CROWDS):
            places = [[seed + number, self._place(number, ports.get(number))] for number in members(crowd)]
            self.crowds.append(await Told.begin(self.network, "tests.chaos.crowd", json.dumps(places)))
            exits.push_async_callback(self.crowds[-1].end)
        await self.clock.reach(1)
        await self.all_reach(self.clock.book.n + 1)

    def _place(self, number: int, port: int | None) -> Place:
        host, address, deflate = self.network.here, self.network.there[number], number % 3 != 0
        if port is None:
            return Place(address, host, PORT, host, deflate)
        return Place("127.0.0.1", "127.0.0.1", port, host, deflate)

    async def all_reach(self, n: int) -> None:
        """Until every viewer has column n."""
        await asyncio.gather(self.clock.reach(n), *(crowd.ask({"reach": n}) for crowd in self.crowds))

    def tell(self, viewers: Iterable[int], what: str) -> None:
        for number in viewers:
            crowd, place = divmod(number, EACH)
            self.crowds[crowd].tell({"to": [place], "do": what})

    async def play(self, fault: Fault, start: int) -> None:
        """The fault from its first tick to its last, counted from column `start`."""
        await self.clock.reach(start + fault.begin)
        async with getattr(self, fault.kind)(fault.victims):
            await self.clock.reach(start + fault.end)

    @asynccontextmanager
    async def reset(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        self.tell(viewers, "reset")
        yield

    @asynccontextmanager
    async def finished(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        self.tell(viewers, "finish")
        yield

    @asynccontextmanager
    async def hidden(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        self.tell(viewers, "hide")
        yield
        self.tell(viewers, "show")

    @asynccontextmanager
    async def frozen(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        self.tell(viewers, "freeze")
        yield
        self.tell(viewers, "thaw")

    @asynccontextmanager
    async def dropped(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        async with self._filtered(viewers):
            yield

    @asynccontextmanager
    async def lossy(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        async with self._filtered(viewers, "-m", "statistic", "--mode", "random", "--probability", LOSS):
            yield

    @asynccontextmanager
    async def _filtered(self, viewers: tuple[int, ...], *match: str) -> AsyncIterator[None]:
        """Packets of these viewers that match are dropped, in both directions."""
        rules = [
            (chain, side, self.network.there[number], *match, "-j", "DROP")
            for number in viewers
            for chain, side in (("INPUT", "-d"), ("OUTPUT", "-s"))
        ]
        for rule in rules:
            await self._iptables("-A", *rule)
        yield
        for rule in rules:
            await self._iptables("-D", *rule)

    async def _iptables(self, *arguments: str) -> None:
        command = self.network.inside("iptables", "-w", *arguments)
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
        _, error = await process.communicate()
        assert process.returncode == 0, f"iptables {arguments}: {error.decode()}"

    @asynccontextmanager
    async def slowed(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        async with self._linked(viewers, rate=SLOW):
            yield

    @asynccontextmanager
    async def delayed(self, viewers: tuple[int, ...]) -> AsyncIterator[None]:
        async with self._linked(viewers, delay=FAR):
            yield

    @asynccontextmanager
    async def _linked(self, viewers: tuple[int, ...], **quality: float) -> AsyncIterator[None]:
        assert self.link is not None
        for number in viewers:
            self.link.tell({"link": LINKED.index(number), **quality})
        yield
        for number in viewers:
            self.link.tell({"link": LINKED.index(number), **dict.fromkeys(quality, 0)})

    @asynccontextmanager
    async def stopped(self, crowds: tuple[int, ...]) -> AsyncIterator[None]:
        for crowd in crowds:
            self.crowds[crowd].process.send_signal(signal.SIGSTOP)
        yield
        for crowd in crowds:
            self.crowds[crowd].process.send_signal(signal.SIGCONT)

    asleep = stopped

    @asynccontextmanager
    async def stalled(self, _: tuple[int, ...]) -> AsyncIterator[None]:
        """The service does nothing until a viewer takes it for dead."""
        async with self._service_free:
            lost = self.clock.lost
            self.service.send(signal.SIGSTOP)
            await self.clock.until(lambda: self.clock.lost > lost)
            self.service.send(signal.SIGCONT)
            await self.clock.reach(self.clock.book.n + 1)
        yield

    @asynccontextmanager
    async def restarted(self, _: tuple[int, ...]) -> AsyncIterator[None]:
        await self._again(signal.SIGTERM)
        yield

    @asynccontextmanager
    async def killed(self, _: tuple[int, ...]) -> AsyncIterator[None]:
        await self._again(signal.SIGKILL)
        yield

    async def _again(self, number: signal.Signals) -> None:
        """End the service and start it, once it is asked for what it holds: each process is its own truth."""
        async with self._service_free:
            await self.learn()
            await self.service.end(number)
            chapters = self.clock.book.chapters
            known = len(chapters)
            await self.service.start()
            await self.clock.until(lambda: len(chapters) > known and bool(chapters[-1].columns))

    async def learn(self) -> None:
        """What the service holds now, up to the newest column that the clock was sent."""
        chapter = self.clock.book.chapters[-1]
        newest = self.clock.book.n * self.clock.book.step
        self.truths.append(await ask(self.service.host, PORT, chapter.epoch, newest, self.clock.book.step))

    async def reports(self) -> list[dict[str, Any]]:
        said = await asyncio.gather(*(crowd.ask({"report": True}) for crowd in self.crowds))
        return [*(report for crowd in said for report in crowd), self.clock.report()]


@asynccontextmanager
async def staged(network: Network, folder: Path, seed: int, workers: int) -> AsyncIterator[Stage]:
    """A stage whose viewers are all being served; nothing of it is left afterwards."""
    settings = {**SETTINGS, "server.workers": str(workers)}
    async with running(folder, network.here, settings) as service, AsyncExitStack() as exits:
        stage = Stage(network, service, seed)
        await stage.enter(exits, seed)
        yield stage


assert VIEWERS == CROWDS * EACH
assert all(hasattr(Stage, kind) for kind in KINDS)
