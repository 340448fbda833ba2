"""Where requests come in: a server, what it answers with, the gate before it, and what that listens on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tornado.iostream import IOStream
from tornado.web import Application

from monitor import parts
from monitor.server.arrivals import Arrivals, WatchedServer
from monitor.server.gate import Gate
from monitor.server.listener import make_server
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Settings


class Entrance(NamedTuple):
    application: Application
    server: WatchedServer
    gate: Gate
    sockets: list[socket.socket]


def entrance(
    application: Application,
    sockets: list[socket.socket],
    settings: Settings,
    arrivals: Arrivals,
    telemetry: Telemetry,
    stream: Callable[..., IOStream] = IOStream,
) -> Entrance:
    """One that is not open yet; `stream` makes a connection of a socket."""
    server = make_server(
        application,
        max_body=settings.server.max_body,
        request_timeout=arrivals.patience.idle,
        idle_timeout=arrivals.patience.idle,
        arrivals=arrivals,
        proxies=parts.proxies(settings),
    )
    return Entrance(application, server, Gate(server, telemetry, stream=stream), sockets)
