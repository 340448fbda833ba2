"""What a service tells systemd, and is handed by it: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).

Plain datagrams and inherited descriptors: no library of systemd's is needed.  Where its variables are not
set, nothing is told and nothing was handed over.  They are taken out of the environment, so that processes
started later do not believe that they are meant.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Self

FIRST = 3
"""The first descriptor handed over (SD_LISTEN_FDS_START)."""
EVERY = 5.0
"""Seconds between two messages about a service that does its work; more often under a short watchdog."""
SHARE = 4
"""Messages that fit into the watchdog's time, so that one that is lost harms nobody."""
TICKS = 4
"""The least number of ticks that the watchdog must wait for, or it would end a service that does its work."""


class HandoverError(Exception):
    """What systemd handed over cannot be used; the message says why."""


class Manager:
    """systemd, told how its service does; nobody at all without an address.

    Nothing here waits: what the manager has no room for is told with the next message.
    """

    def __init__(
        self, address: str = "", watchdog: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`address` is a path, or `@` and an abstract name; `watchdog` its time in seconds, 0 for none."""
        self.watchdog = watchdog
        self.clock = clock
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._untold: dict[str, str] = {}
        self._due = 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)

    @classmethod
    def of(cls, environ: MutableMapping[str, str], pid: int) -> Self:
        """Who started the process with this id.  Raises HandoverError."""
        address = environ.pop("NOTIFY_SOCKET", "")
        meant = environ.pop("WATCHDOG_PID", str(pid)) == str(pid)
        microseconds = number(environ, "WATCHDOG_USEC")
        return cls(address, microseconds / 1e6 if meant else 0.0)

    def ready(self, step: float) -> None:
        """It serves, with a tick each so many seconds; said again after `reloading`."""
        if self.watchdog and self.watchdog < TICKS * step:
            self.watchdog = TICKS * step
            self._untold["WATCHDOG_USEC"] = str(round(self.watchdog * 1e6))
        self.tell(READY="1")

    def reloading(self) -> None:
        """It reads its configuration anew; `ready` ends this."""
        moment = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.tell(RELOADING="1", MONOTONIC_USEC=str(moment))

    def ticked(self, status: Callable[[], str], in_time: bool = True) -> None:
        """A tick has been stored and streamed.  Now and then the manager is told, with a line of status.

        The watchdog hears of it only when it was `in_time`.
        """
        now = self.clock()
        if self._socket is None or now < self._due:
            return
        self._due = now + (min(EVERY, self.watchdog / SHARE) if self.watchdog else EVERY)
        alive = {"WATCHDOG": "1"} if self.watchdog and in_time else {}
        self.tell(STATUS=status(), **alive)

    def stopping(self, seconds: float) -> None:
        """It ends, and may take so long."""
        self.tell(STOPPING="1", EXTEND_TIMEOUT_USEC=str(round(seconds * 1e6)))

    def tell(self, **variables: str) -> None:
        """Send variables of sd_notify(3), and those that could not be sent before."""
        if self._socket is None:
            return
        self._untold |= variables
        message = "\n".join(f"{name}={value}" for name, value in self._untold.items())
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError:
            # Its queue is full, or it restarts (ECONNREFUSED): neither is for the service to suffer from.
            self._untold.pop("WATCHDOG", None)
            self._due = 0.0
        else:
            self._untold.clear()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()


def handed_over(environ: MutableMapping[str, str], pid: int) -> list[socket.socket]:
    """The listening TCP sockets that are meant for the process with this id.  Raises HandoverError."""
    environ.pop("LISTEN_FDNAMES", None)
    meant = environ.pop("LISTEN_PID", "") == str(pid)
    count = number(environ, "LISTEN_FDS")
    return [listener(descriptor) for descriptor in range(FIRST, FIRST + count)] if meant else []


def listener(descriptor: int) -> socket.socket:
    """A descriptor as a socket that does not block and that no other process inherits."""
    try:
        os.set_inheritable(descriptor, False)
        taken = socket.socket(fileno=descriptor)
    except OSError as error:
        raise HandoverError(
            f"descriptor {descriptor} was handed over, and is no socket: {error.strerror}"
        ) from error
    listens = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if taken.family not in {socket.AF_INET, socket.AF_INET6} or not listens:
        taken.close()
        raise HandoverError(
            f"descriptor {descriptor} was handed over, and is no listening TCP socket: "
            "ListenStream= in the socket unit must be an address and a port"
        )
    taken.setblocking(False)
    return taken


def elsewhere(sockets: Sequence[socket.socket], host: str, port: int) -> Iterator[str]:
    """The addresses of those sockets that do not listen where they should; port 0 stands for any."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    hosts = {str(place[0]) for *_, place in found}
    for each in sockets:
        own, own_port = each.getsockname()[:2]
        if own not in hosts or port not in {0, own_port}:
            yield f"[{own}]:{own_port}" if ":" in own else f"{own}:{own_port}"


def number(environ: MutableMapping[str, str], name: str) -> int:
    """The value of a variable, which is taken out; 0 where there is none."""
    text = environ.pop(name, "0")
    if not text.isascii() or not text.isdigit():
        raise HandoverError(f"{name}: found {text!r} in the environment, expected a number")
    return int(text)
