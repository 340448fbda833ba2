"""Sockets that listen, and why there is none."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack

from monitor.config import Address
from monitor.listener import owner_of

BACKLOG = 4096
"""Connections the kernel holds before they are accepted; Tornado's 128 loses some of a reconnect storm."""


class ListenError(Exception):
    """An address that cannot be listened on; the message says why, and what to do."""


def listen(address: Address, choose: str) -> list[socket.socket]:
    """Sockets that listen on an address; `choose` says how to give another.  Raises ListenError."""
    try:
        return bound(address.host, address.port)
    except OSError as error:
        raise ListenError(f"{why_not(address, error)}choose another {choose}") from error


def bound(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of the host, all on one port; all or none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as undo:
        listeners: list[socket.socket] = []
        for family, _, _, _, place in found:
            chosen = listeners[0].getsockname()[1] if listeners else port
            listener = socket.create_server((str(place[0]), chosen), family=family, backlog=BACKLOG)
            undo.callback(listener.close)
            listener.setblocking(False)
            listeners.append(listener)
        undo.pop_all()
    return listeners


def why_not(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        owner = owner_of(address.port)
        by = f" by {owner}" if owner else ""
        return f"{address} is already in use{by}; stop it, or "
    return f"cannot listen on {address}: {error.strerror or error}; "


def name_of(listener: socket.socket) -> str:
    """Its address as URLs have it."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def close(listeners: list[socket.socket]) -> None:
    for listener in listeners:
        listener.close()
