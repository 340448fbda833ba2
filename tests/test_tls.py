"""The whole service under TLS: the page, the live stream to its end, and the way there from plain HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

from monitor.access.access import link_code
from monitor.app import Service, StartError
from monitor.config import ConfigError, load
from tests.chaos.line import ClosedError, Line
from tests.tls import pair, trusting

UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
NOTHING: Mapping[str, str] = {}


def service(folder: Path, flags: Mapping[str, str] = NOTHING) -> Service:
    certificate, key = pair(folder)
    settings = {
        "server.listen": "127.0.0.1:0",
        "server.tls.certificate": str(certificate),
        "server.tls.key": str(key),
        "storage.path": str(folder / "state"),
        "collect.interval": "100ms",
        "access.anonymous": "operator",
    }
    return Service(load(None, {}, {**settings, **flags}).settings)


@pytest.mark.gen_test
async def test_the_page_and_the_live_stream_come_under_tls(tmp_path: Path) -> None:
    unused, plain = bind_unused_port()
    unused.close()
    redirect = {"server.tls.redirect": f"127.0.0.1:{plain}", "server.prefix": "/monitor"}
    made = service(tmp_path, redirect)
    trust = str(tmp_path / "monitor.crt")
    client = AsyncHTTPClient()
    async with made.running() as url:
        assert url.startswith("https://127.0.0.1:")
        assert url.endswith("/monitor/")
        led = await client.fetch(f"http://127.0.0.1:{plain}/", follow_redirects=False, raise_error=False)
        assert led.headers["Location"] == url
        assert (await client.fetch(url, ca_certs=trust)).code == 200
        live = await websocket_connect(HTTPRequest(f"{url.replace('http', 'ws', 1)}live", ca_certs=trust))
        await live.write_message('{"type": "subscribe", "request": 1, "queries": ["node_boot_time_seconds"]}')
        seen: list[str] = []
        while "tick" not in seen:
            seen.append(json.loads(await live.read_message() or "{}")["type"])
        assert seen[:2] == ["welcome", "subscribed"]
        metrics = (await client.fetch(f"{url}metrics", ca_certs=trust)).body.decode()
        assert "monitor_tls_certificate_expiry_timestamp_seconds 1" in metrics
    while await live.read_message() is not None:
        pass
    live.close()
    assert live.close_code == 1012


async def upgraded(url: str, folder: Path, receive: int = 1 << 16) -> Line:
    """A viewer by hand."""
    place = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    connection.connect((place.hostname, place.port))
    trust = trusting(folder / "monitor.crt")
    line = Line(*await asyncio.open_connection(sock=connection, ssl=trust, server_hostname="localhost"))
    line.writer.write(UPGRADE)
    assert b" 101 " in await line.reader.readuntil(b"\r\n\r\n")
    return line


async def to_the_end(line: Line) -> None:
    """Raises ClosedError."""
    while True:
        await line.message()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\x88\x82\0\0\0\0\x03\xe8", 1000),  # Closes.
        (b"\x81\x01x", 1002),  # Has no mask.
        (b"\x81\x81\0\0\0\0\xff", 1007),  # Is no UTF-8.
        (b"\x82\x81\0\0\0\0\x01", 1003),  # Is binary.
        (b"\x81\xff\0\0\0\0\0\x10\0\0\0\0\0\0" + bytes(1 << 17), 1009),  # Is too long.
    ],
)
@pytest.mark.gen_test
async def test_a_connection_is_closed_as_without_tls(tmp_path: Path, said: bytes, code: int) -> None:
    made = service(tmp_path)
    async with made.running() as url:
        line = await upgraded(url, tmp_path)
        line.writer.write(said)
        with pytest.raises(ClosedError, match=re.escape(repr(code.to_bytes(2))[:-1])):
            await to_the_end(line)
        await made.audience.empty.wait()
        line.abort()
    assert made.telemetry.orphans == made.telemetry.zombies == 0


@pytest.mark.gen_test
async def test_a_viewer_that_reads_nothing_is_cut_and_the_others_are_not(tmp_path: Path) -> None:
    short = {f"server.websocket.{name}": "500ms" for name in ("ping_interval", "ping_timeout")}
    made = service(tmp_path, {**short, "server.websocket.sweep_interval": "100ms"})
    async with made.running() as url:
        stalled, healthy = await upgraded(url, tmp_path, 4096), await upgraded(url, tmp_path)
        for line in (stalled, healthy):
            line.send(
                {"type": "subscribe", "request": 1, "queries": ['{__name__=~"node_.*"}'], "range": 60_000}
            )
        stalled.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not made.telemetry.gone:
            message, _ = await healthy.message()
            if message["type"] in ("tick", "columns"):
                healthy.send({"type": "ack", "feed": message["feed"], "n": message["n"]})
        assert made.telemetry.gone.total() == 1
        assert len(made.audience) == 1
        for line in (stalled, healthy):
            line.abort()
        await made.audience.empty.wait()


def test_files_that_cannot_be_used_stop_the_start(tmp_path: Path) -> None:
    made = service(tmp_path)
    (tmp_path / "monitor.key").chmod(0o644)
    with pytest.raises(StartError, match=r"monitor.key is open to others"):
        made.prepare()


def test_a_redirect_whose_port_is_taken_stops_the_start(tmp_path: Path) -> None:
    taken, port = bind_unused_port()
    made = service(tmp_path, {"server.tls.redirect": f"127.0.0.1:{port}"})
    with pytest.raises(StartError, match=r"already in use.*; stop it, or choose another server.tls.redirect"):
        made.prepare()
    taken.close()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"key": ""}, 'server.tls.key: found "", expected both key and certificate'),
        ({"certificate": ""}, "both key and certificate"),
        ({"certificate": "", "key": "", "redirect": "127.0.0.1:80"}, "nothing while there is no certificate"),
        ({"certificate": "", "key": "", "client_ca": "/a"}, "nothing while there is no certificate"),
        ({"redirect": "80"}, "an address and a port such as 0.0.0.0:80, or an empty text"),
        ({"key": "monitor.key"}, "the absolute path of a file"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(flags: dict[str, str], said: str) -> None:
    whole = {"certificate": "/a", "key": "/b"} | flags
    with pytest.raises(ConfigError, match=said):
        load(None, {}, {f"server.tls.{name}": value for name, value in whole.items()})


def test_workers_and_tls_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match=r"server.workers: found 2, expected 1 with server.tls, .* proxy"):
        load(None, {}, {"server.tls.certificate": "/a", "server.tls.key": "/b", "server.workers": "2"})


@pytest.mark.gen_test
async def test_under_tls_the_cookie_is_of_this_host_and_never_sent_in_the_clear(tmp_path: Path) -> None:
    made = service(tmp_path, {"access.anonymous": "none"})
    trust = str(tmp_path / "monitor.crt")
    client = AsyncHTTPClient()
    async with made.running() as url:
        link = f"{url}login?code={link_code(made.access.folder, time.time())}"
        answer = await client.fetch(link, ca_certs=trust, follow_redirects=False, raise_error=False)
        assert answer.code == 303
        cookie, *marks = answer.headers["Set-Cookie"].split("; ")
        assert cookie.startswith("__Host-monitor-")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(marks)
        assert not [mark for mark in marks if mark.startswith("Domain")]
        shown = {"Cookie": cookie}
        assert (await client.fetch(f"{url}api/boards", headers=shown, ca_certs=trust)).code == 200
        bare = {"Cookie": cookie.removeprefix("__Host-")}
        refused = await client.fetch(f"{url}api/boards", headers=bare, ca_certs=trust, raise_error=False)
        assert refused.code == 401
