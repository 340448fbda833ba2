"""A viewer in a process of its own, with one way of being dead.

    python peer.py HOST PORT healthy|mute|deaf

It upgrades, subscribes, prints a line for each message (its type and the numbers of its first and last
column), and answers pings, but: `mute` never answers one, and
`deaf` stops reading after its subscription and goes on sending pongs that nobody asked for.
"""

import json
import os
import signal
import socket
import struct
import sys
import time
from typing import Any

QUERIES = ['{__name__=~"node_.*"}']


def send(connection: socket.socket, opcode: int, payload: bytes) -> None:
    """A masked frame (RFC 6455 section 5.3), the mask being zero."""
    head = bytes([0x80 | opcode])
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
    connection.sendall(head + length + bytes(4) + payload)


def receive(stream: "socket.SocketIO") -> tuple[int, bytes]:
    first, length = exactly(stream, 2)
    if length == 126:
        (length,) = struct.unpack("!H", exactly(stream, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", exactly(stream, 8))
    return first & 0x0F, exactly(stream, length)


def exactly(stream: "socket.SocketIO", size: int) -> bytes:
    got = b""
    while len(got) < size:
        part = stream.read(size - len(got))
        if not part:
            sys.exit(0)
        got += part
    return got


def upgrade(connection: socket.socket, stream: "socket.SocketIO", host: str) -> None:
    connection.sendall(
        f"GET /live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(stream, 1)
    assert b" 101 " in head, head


def acknowledge(connection: socket.socket, message: dict[str, Any]) -> None:
    if message["type"] in ("subscribed", "tick", "columns"):
        send(connection, 1, json.dumps({"type": "ack", "feed": message["feed"], "n": message["n"]}).encode())


def columns(message: dict[str, Any], step: int) -> str:
    """Numbers of the first and the last column in it; nothing where it has none."""
    times = [message["t"]] if message["type"] == "tick" else message.get("columns", {}).get("t")
    return f"{times[0] // step} {times[-1] // step}" if times else ""


def main(host: str, port: int, kind: str) -> None:
    with socket.socket() as connection:
        # SIGTERM closes as a browser does that leaves the page.
        signal.signal(signal.SIGTERM, lambda *_: send(connection, 8, struct.pack("!H", 1001)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((host, port))
        stream = socket.SocketIO(connection, "rb")
        step = 1
        upgrade(connection, stream, host)
        subscription = {"type": "subscribe", "request": 1, "queries": QUERIES, "range": 60_000}
        send(connection, 1, json.dumps(subscription).encode())
        while True:
            opcode, payload = receive(stream)
            if opcode == 8:
                send(connection, 8, payload[:2])
                sys.exit(0)
            if opcode == 9 and kind != "mute":
                send(connection, 10, payload)
            if opcode == 1:
                message = json.loads(payload)
                step = message["step"] if message["type"] == "welcome" else step
                acknowledge(connection, message)
                os.write(1, f"{message['type']} {columns(message, step)}\n".encode())
                while kind == "deaf" and message["type"] == "subscribed":
                    send(connection, 10, b"")
                    time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
