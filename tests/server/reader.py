"""A client of `/events` on a plain socket, and the same for what it says."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit


class Event(NamedTuple):
    kind: str
    data: str


class Reader:
    """One stream; `get` begins it, `say` speaks in a request of its own."""

    def __init__(
        self,
        url: str,
        trust: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        version: str = "1.1",
        receive_buffer: int = 0,
    ) -> None:
        """`url` ends with a slash; `address` is the client's own."""
        self.place = urlsplit(url)
        self.trust = trust
        self.address = address
        self.version = version
        self.receive_buffer = receive_buffer
        self.pongs = 0
        self.name = ""
        """The secret one, once it was told."""
        self.head = ""
        """Of the answer, in lower case."""
        self._text = b""

    async def begin(self, **headers: str) -> Self:
        """Be welcomed, and told where to speak."""
        await self.get(**headers)
        assert " 200 " in self.head, self.head
        assert (await self.next())["type"] == "welcome"
        self.name = (await self.event()).data
        return self

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = socket.socket()
        connection.setblocking(False)
        if self.receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        connection.bind((self.address, 0))
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.place.port))
        name = self.place.hostname if self.trust else None
        return await asyncio.open_connection(
            sock=connection, ssl=self.trust, server_hostname=name, limit=self.receive_buffer or 1 << 16
        )

    async def get(self, **headers: str) -> None:
        """Ask for a stream, and read the head of the answer; an underscore in a name is a hyphen."""
        self.reader, self.writer = await self.connect()
        self.writer.write(self._request("GET", "events", headers))
        self.head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        self._chunked = "transfer-encoding: chunked" in self.head

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        said = {"Host": self.place.netloc, **headers}
        if method == "POST":
            said = {"Content-Type": "application/json", "Content-Length": str(len(body)), **said}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in said.items()]
        start = f"{method} {self.place.path}{path} HTTP/{self.version}"
        return "\r\n".join([start, *lines, "", ""]).encode() + body

    async def event(self) -> Event:
        """The next event.  Raises EOFError at the end."""
        while True:
            while b"\n\n" not in self._text:
                self._text += await self._more()
            text, _, self._text = self._text.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in text.decode().splitlines())
            return Event(fields.get("event", "message"), fields["data"])

    async def _more(self) -> bytes:
        if not self._chunked:
            data = await self.reader.read(1 << 16)
        elif size := int(await self.reader.readline() or b"0", 16):
            data = await self.reader.readexactly(size)
            assert await self.reader.readline() == b"\r\n"
        else:
            data = b""
        if not data:
            raise EOFError
        return data

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types, or of any; pings are answered meanwhile."""
        while True:
            kind, data = await self.event()
            if kind == "ping":
                assert await self.post(data, "/pong") == 204
                self.pongs += 1
            assert kind in ("message", "ping"), (kind, data)
            if kind == "message" and (not kinds or json.loads(data)["type"] in kinds):
                message: dict[str, Any] = json.loads(data)
                return message

    async def say(self, message: str | dict[str, Any], **headers: str) -> int:
        return await self.post(message if isinstance(message, str) else json.dumps(message), **headers)

    async def post(self, body: str | bytes, path: str = "", name: str = "", **headers: str) -> int:
        """Say something; the status of the answer."""
        reader, writer = await self.connect()
        sent = {"Connection": "close", **headers}
        body = body.encode() if isinstance(body, str) else body
        writer.write(self._request("POST", f"events/{name or self.name}{path}", sent, body))
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1])

    async def subscribe(self, after: int | None = None) -> list[int]:
        """Times (ms) of the columns that it is sent at once."""
        past = {"range": 0} if after is None else {"after": after}
        queries = {"type": "subscribe", "request": 1, "queries": ["node_load1"]}
        assert await self.say({**queries, **past}) == 204
        times: list[int] = (await self.next("subscribed"))["columns"]["t"]
        return times

    async def ticks(self, count: int) -> list[int]:
        """Times (ms) of so many ticks."""
        return [(await self.next("tick"))["t"] for _ in range(count)]

    async def end(self) -> Event | None:
        """Read to the end; the last event."""
        last = None
        try:
            while True:
                last = await self.event()
        except (EOFError, OSError):
            return last

    async def close(self) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)
