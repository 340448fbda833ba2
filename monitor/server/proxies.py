"""Who really asks, where proxies stand in between: X-Forwarded-For and X-Forwarded-Proto.

A proxy adds the address that it saw at the right end of X-Forwarded-For, to whatever was there.  Only what a
trusted proxy added is true: read from the right, that ends with the first address that is no trusted proxy,
which is the client's.  X-Forwarded-Host, X-Real-Ip and Forwarded (RFC 7239) are ignored: the first is what
Host is for, and proxies that add to one of them let the others pass as the client made them up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, NamedTuple

from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import SSLIOStream

IP = IPv4Address | IPv6Address


class Client(NamedTuple):
    """Who asks: an IP address as text, and `http` or `https`."""

    address: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those that are believed."""

    trusted: Collection[IPv4Network | IPv6Network] = ()

    def trusts(self, address: IP) -> bool:
        return any(address in network for network in self.trusted)

    def client(self, peer: str, protocol: str, headers: Mapping[str, str]) -> Client:
        """Who asks, by what the connection is and what its headers say."""
        address = plain(ip_address(peer))
        if not self.trusts(address):
            return Client(str(address), protocol)
        for text in reversed(headers.get("X-Forwarded-For", "").split(",")):
            hop = hop_of(text)
            if hop is None:
                break
            address = hop
            if not self.trusts(hop):
                break
        told = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        return Client(str(address), told if told in ("http", "https") else protocol)


NOBODY = Proxies()


def hop_of(text: str) -> IP | None:
    """An entry of X-Forwarded-For, which some proxies write with a port; None for what is no address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if "%" in text:  # A zone is of the proxy's network, and may be any text (RFC 4007 section 11).
        return None
    try:
        return plain(ip_address(text))
    except ValueError:
        return None


def plain(address: IP) -> IP:
    """An IPv4 address that comes as IPv6 (RFC 4291 section 2.5.5.2) is the same as without."""
    return getattr(address, "ipv4_mapped", None) or address


class Forwarded(HTTPMessageDelegate):
    """Passes a request on, as coming from whom it really comes.

    It relies on Tornado's `connection.context`, of which the request takes its address and protocol;
    tests/server/test_proxies.py fails when that changes.
    """

    def __init__(self, inner: HTTPMessageDelegate, connection: Any, proxies: Proxies) -> None:
        self.inner = inner
        self.connection = connection
        self.proxies = proxies

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        context = self.connection.context
        own = "https" if isinstance(self.connection.stream, SSLIOStream) else "http"
        peer = context.address[0]
        context.remote_ip, context.protocol = self.proxies.client(peer, own, headers)
        return self.inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self.inner.data_received(chunk)

    def finish(self) -> None:
        self.inner.finish()

    def on_connection_close(self) -> None:
        self.inner.on_connection_close()
