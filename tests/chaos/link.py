"""Slow and long lines: a proxy between viewers and the service, in a process of its own.

    python -m tests.chaos.link HOST PORT ADDRESS...

There is a link for each address, which its connections to the service come from; it listens on 127.0.0.1, and
the ports are printed.  Commands are read from standard input, one a line: `{"link": 0, "rate": 1000, "delay":
0.3}`, bytes a second (0 for no bound) and seconds, in each direction.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import dataclass

from tests.chaos.crowd import commands, say
from tests.chaos.line import NO_LINGER, RECEIVE_BUFFER

CHUNK = 4096
CHUNKS = 4
"""Read and not delivered, at most: who does not read is felt on the other side."""
SLICE = 0.05
"""Seconds' worth of a bounded rate that is read at once."""


@dataclass
class Link:
    address: str
    rate: float = 0
    delay: float = 0


async def pump(source: socket.socket, sink: socket.socket, link: Link) -> None:
    """Carry bytes one way, to the end of them; no more is read than the rate allows."""
    loop = asyncio.get_running_loop()
    held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS)

    async def read() -> None:
        data = b"-"
        while data:
            data = await loop.sock_recv(source, max(1, int(link.rate * SLICE)) if link.rate else CHUNK)
            await held.put((loop.time() + link.delay, data))
            if link.rate:
                await asyncio.sleep(len(data) / link.rate)

    async def write() -> None:
        data = b"-"
        while data:
            due, data = await held.get()
            await asyncio.sleep(max(0, due - loop.time()))
            await loop.sock_sendall(sink, data)
        sink.shutdown(socket.SHUT_WR)

    async with asyncio.TaskGroup() as both:
        both.create_task(read())
        both.create_task(write())


async def join(viewer: socket.socket, service: tuple[str, int], link: Link) -> None:
    """One connection; where one side is reset, so is the other."""
    loop = asyncio.get_running_loop()
    with viewer, socket.socket() as beyond:
        beyond.setblocking(False)
        beyond.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        beyond.bind((link.address, 0))
        try:
            async with asyncio.TaskGroup() as ways:
                await loop.sock_connect(beyond, service)
                ways.create_task(pump(viewer, beyond, link))
                ways.create_task(pump(beyond, viewer, link))
        except* OSError:
            for end in (viewer, beyond):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)


async def listen(listener: socket.socket, service: tuple[str, int], link: Link) -> None:
    loop = asyncio.get_running_loop()
    joined: set[asyncio.Task[None]] = set()
    while True:
        viewer, _ = await loop.sock_accept(listener)
        viewer.setblocking(False)
        task = asyncio.create_task(join(viewer, service, link))
        joined.add(task)
        task.add_done_callback(joined.discard)


async def main(host: str, port: int, addresses: list[str]) -> None:
    links = [Link(address) for address in addresses]
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in links]
    listening = []
    for listener, link in zip(listeners, links, strict=True):
        listener.setblocking(False)
        listening.append(asyncio.create_task(listen(listener, (host, port), link)))
    say([listener.getsockname()[1] for listener in listeners])
    async for command in commands():
        link = links[command["link"]]
        link.rate = command.get("rate", link.rate)
        link.delay = command.get("delay", link.delay)
    for task in listening:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
