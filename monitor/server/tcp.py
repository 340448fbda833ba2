"""What the kernel is told and asked of a viewer's connection (tcp(7), socket(7)).

It relies on `stream._write_buffer` of Tornado's, whose length is what the kernel has not taken yet.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress

from tornado.iostream import IOStream

from monitor.footprint import RECEIVE_BUFFER
from monitor.stream.liveness import Facts
from monitor.stream.pulse import Pulse

NO_LINGER = struct.pack("ii", 1, 0)


def tune(stream: IOStream, send_buffer: int) -> None:
    """`send_buffer` is SO_SNDBUF in bytes: small, so that backpressure is felt early."""
    if stream.closed():  # The client was gone before it was answered; it leaves as all do.
        return
    stream.set_nodelay(True)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def unacknowledged(stream: IOStream) -> int:
    """Bytes in the stream's buffer and in the kernel's send queue (SIOCOUTQ)."""
    queued = fcntl.ioctl(stream.socket.fileno(), termios.TIOCOUTQ, bytes(4))
    return len(stream._write_buffer) + int.from_bytes(queued, sys.byteorder)  # noqa: SLF001


def facts(stream: IOStream, pulse: Pulse, now: float, closing: bool) -> Facts:
    """What is known of a connection at a sweep, whatever is spoken on it."""
    if stream.closed():
        return pulse.closed(now)
    pulse.waiting(unacknowledged(stream), now)
    return pulse.facts(now, closing)


def reset(stream: IOStream) -> None:
    """Cut at once; what waits is dropped."""
    if not stream.closed():
        with suppress(OSError):  # Whatever it says, the socket must go.
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        stream.close()
