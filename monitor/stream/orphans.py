"""Sockets that were upgraded and have no session: the sweep's question to itself, which must find none."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from weakref import WeakKeyDictionary

from monitor.stream.session import Session


class Upgraded(Protocol):
    """What is asked of the WebSocket protocol of one connection."""

    @property
    def session(self) -> Session | None: ...

    def is_gone(self) -> bool:
        """Whether it has no open socket."""

    def cut(self) -> None: ...


class Orphans:
    """Knows every upgraded connection for as long as anything else holds on to it."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Upgraded, float] = WeakKeyDictionary()

    def upgraded(self, connection: Upgraded, now: float) -> None:
        self._known[connection] = now

    def sweep(self, sessions: Collection[Session | None], now: float, grace: float) -> int:
        """Cut those that are older than `grace` seconds, have a socket and no session; how many."""
        if len(self._known) == len(sessions):  # Each session has a socket, so nobody is left over.
            return 0
        found = [
            connection
            for connection, since in tuple(self._known.items())
            if now - since > grace and not connection.is_gone() and connection.session not in sessions
        ]
        for connection in found:
            connection.cut()
        return len(found)
