"""Whose address and scheme a request has, when it comes through proxies, and when somebody says it did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

from monitor.server.listener import make_server
from monitor.server.proxies import Client, Proxies
from tests.surroundings import PATIENCE

PROXIES = Proxies(tuple(map(ip_network, ("127.0.0.1", "10.1.0.0/16", "fd00:1::/64"))))
NEAR = "127.0.0.1"


def client(told: str, peer: str = NEAR, protocol: str = "http", **headers: str) -> Client:
    return PROXIES.client(peer, protocol, {"X-Forwarded-For": told, **headers})


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("192.0.2.7:51812", "192.0.2.7"),
        ("[2001:db8::7]:51812", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),  # The left one is what the client made up.
        ("192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("203.0.113.9,192.0.2.7 ,  fd00:1::5,10.1.2.3", "192.0.2.7"),
        ("10.1.9.9, 10.1.2.3", "10.1.9.9"),  # One of the proxies asks for itself.
        ("", NEAR),
        ("unknown", NEAR),
        ("192.0.2.7, unknown, 10.1.2.3", "10.1.2.3"),
        ("192.0.2.7,", NEAR),
        ("fe80::1%eth0", NEAR),
        ("192.0.2.7%<script>", NEAR),
        ("192.0.2.007", NEAR),
        ("x" * 100_000, NEAR),
    ],
)
def test_the_rightmost_address_that_is_no_proxy_is_the_clients(told: str, address: str) -> None:
    assert client(told).address == address


@pytest.mark.parametrize("peer", ["127.0.0.1", "::ffff:127.0.0.1", "10.1.255.1", "fd00:1::ffff"])
def test_a_trusted_proxy_is_believed_under_each_of_its_names(peer: str) -> None:
    assert client("192.0.2.7", peer, **{"X-Forwarded-Proto": "https"}) == ("192.0.2.7", "https")


@pytest.mark.parametrize("peer", ["127.0.0.2", "10.2.0.1", "fd00:1:0:1::1", "::1", "192.0.2.1"])
def test_nobody_else_is(peer: str) -> None:
    assert client("192.0.2.7", peer, **{"X-Forwarded-Proto": "https"}) == (peer, "http")


def test_without_trusted_proxies_nobody_is_believed() -> None:
    told = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    assert Proxies().client(NEAR, "http", told) == (NEAR, "http")


@pytest.mark.parametrize(
    ("told", "protocol"),
    [("https", "https"), ("HTTPS", "https"), ("http", "http"), ("http, https", "https"),
     ("https,http", "http"), ("", "http"), ("ftp", "http"), ("https,", "http"), ("https\x00", "http")],
)  # fmt: skip
def test_the_scheme_is_what_the_nearest_proxy_says(told: str, protocol: str) -> None:
    assert client("192.0.2.7", **{"X-Forwarded-Proto": told}).protocol == protocol


def test_a_proxy_that_comes_under_tls_itself_may_tell_of_a_client_that_did_not() -> None:
    assert client("192.0.2.7", protocol="https", **{"X-Forwarded-Proto": "http"}).protocol == "http"
    assert client("192.0.2.7", protocol="https").protocol == "https"


@pytest.mark.parametrize("name", ["X-Real-Ip", "Forwarded", "X-Forwarded-Host", "X-Scheme", "X-Client-Ip"])
def test_other_headers_say_nothing(name: str) -> None:
    assert PROXIES.client(NEAR, "http", {name: "192.0.2.7"}) == (NEAR, "http")


@given(st.text(), st.ip_addresses())
def test_nothing_that_a_client_writes_hides_the_address_that_the_proxy_saw(
    made_up: str, seen: object
) -> None:
    expected = Proxies().client(str(seen), "http", {}).address
    if not PROXIES.trusts(ip_address(expected)):
        assert client(f"{made_up}, {seen}").address == expected


class Who(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.protocol} {self.request.remote_ip}")


Ask = Callable[..., Awaitable[str]]


@pytest.fixture
def app() -> Application:
    return Application([("/", Who)], log_function=lambda _handler: None)


@pytest.fixture
def http_server(app: Application, io_loop: IOLoop, _unused_port: tuple[Any, int]) -> Iterator[HTTPServer]:
    server = make_server(app, proxies=PROXIES)
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=PATIENCE)


@pytest.mark.gen_test
async def test_a_request_has_the_address_and_the_scheme_of_its_client(
    http_server: HTTPServer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = HTTPHeaders({"X-Forwarded-Proto": "https"})
    for address in ("203.0.113.9", "192.0.2.7"):  # A proxy may add a line, which is right of those before it.
        headers.add("X-Forwarded-For", address)
    assert (await http_client.fetch(f"{base_url}/", headers=headers)).body == b"https 192.0.2.7"


@pytest.mark.gen_test
async def test_what_was_said_of_one_request_is_forgotten_at_the_next(
    http_server: HTTPServer, http_port: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    answers = []
    for line in (b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", b""):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        answers.append(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    assert answers == [b"https 192.0.2.7", b"http 127.0.0.1"]
