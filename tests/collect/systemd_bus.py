"""Stands for a D-Bus system bus with systemd behind it, as a program: `systemd_bus.py SOCKET [FAULT]`.

Writes its own messages, so that a mistake of the client's cannot be met by the same one here.  FAULT is
`silent` (accepts and never answers), `stranger` (a bus without systemd), `rejects` or `garbage`.
"""

import asyncio
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOCKET = "/run/dbus/system_bus_socket"
SYSTEMD = "/org/freedesktop/systemd1"
UNITS = {
    "cron.service": "active",
    "backup.service": "failed",
    "ssh.socket": "active",
    "backup.timer": "active",
    "multi-user.target": "active",
    "home.mount": "active",
    "missing.service": "inactive",
    "gone.service": "activating",
}
LOADED = {"missing.service": "not-found"}
PROPERTIES: dict[tuple[str, str], tuple[str, object]] = {
    ("Manager", "Version"): ("s", "252.38-1~deb12u1"),
    ("Manager", "Virtualization"): ("s", "kvm"),
    ("Manager", "SystemState"): ("s", "degraded"),
    ("cron.service", "Type"): ("s", "simple"),
    ("backup.service", "Type"): ("s", "oneshot"),
    ("home.mount", "Type"): ("s", "ext4"),
    ("cron.service", "NRestarts"): ("u", 3),
    ("backup.service", "NRestarts"): ("u", 0),
    ("cron.service", "TasksCurrent"): ("t", 2),
    ("cron.service", "TasksMax"): ("t", 4444),
    ("backup.service", "TasksCurrent"): ("t", 2**64 - 1),
    ("backup.service", "TasksMax"): ("t", 2**64 - 1),
    ("cron.service", "ActiveEnterTimestamp"): ("t", 1767229200250000),
    ("ssh.socket", "ActiveEnterTimestamp"): ("t", 1767229200000000),
    ("backup.timer", "ActiveEnterTimestamp"): ("t", 1767229100000000),
    ("multi-user.target", "ActiveEnterTimestamp"): ("t", 1767229300000000),
    ("ssh.socket", "NAccepted"): ("u", 17),
    ("ssh.socket", "NConnections"): ("u", 2),
    ("ssh.socket", "NRefused"): ("u", 1),
    ("backup.timer", "LastTriggerUSec"): ("t", 1767100000000000),
}


def unit_path(name: str) -> str:
    return f"{SYSTEMD}/unit/" + "".join(
        letter if letter.isalnum() else f"_{ord(letter):02x}" for letter in name
    )


NAMES = {unit_path(name): name for name in UNITS} | {SYSTEMD: "Manager"}


def put(out: bytearray, kind: str, value: object) -> None:
    """One value of a simple type."""
    if kind in "so":
        raw = str(value).encode()
        align(out, 4)
        out += struct.pack("<I", len(raw)) + raw + b"\0"
    elif kind == "g":
        out += bytes([len(str(value))]) + str(value).encode() + b"\0"
    elif kind in "ut":
        align(out, 4 if kind == "u" else 8)
        out += struct.pack("<I" if kind == "u" else "<Q", value)


def align(out: bytearray, size: int) -> None:
    out += bytes(-len(out) % size)


def units() -> bytes:
    """The body of the answer to ListUnits, of signature a(ssssssouso)."""
    rows = bytearray(8)  # The length of the array and its padding.
    for name, state in UNITS.items():
        align(rows, 8)
        row = (name, f"The {name}", LOADED.get(name, "loaded"), state, "x", "", unit_path(name), 0, "", "/")
        for kind, value in zip("ssssssouso", row, strict=True):
            put(rows, kind, value)
    rows[:4] = struct.pack("<I", len(rows) - 8)
    return bytes(rows)


def message(kind: int, serial: int, signature: str, body: bytes, error: str = "") -> bytes:
    """An answer (2) or an error (3) to a serial."""
    out = bytearray(struct.pack("<cBBBIII", b"l", kind, 1, 1, len(body), serial + 1000, 0))
    fields = [(5, "u", serial), *([(4, "s", error)] if error else []), (8, "g", signature)]
    for code, field, value in fields:
        align(out, 8)
        out += bytes([code, 1]) + field.encode() + b"\0"
        put(out, field, value)
    out[12:16] = struct.pack("<I", len(out) - 16)
    align(out, 8)
    return bytes(out + body)


def strings(body: bytes) -> Iterator[str]:
    place = 0
    while place < len(body):
        place += -place % 4
        (size,) = struct.unpack_from("<I", body, place)
        yield body[place + 4 : place + 4 + size].decode()
        place += 5 + size


def asked(fields: bytes) -> dict[int, str]:
    """Texts of the header fields by code."""
    found, place = {}, 0
    while place < len(fields):
        place += -place % 8
        code, kind = fields[place], fields[place + 2 : place + 3]
        place += 4
        if kind in b"so":
            place += -place % 4
            (size,) = struct.unpack_from("<I", fields, place)
            found[code] = fields[place + 4 : place + 4 + size].decode()
            place += 5 + size
        elif kind == b"g":
            place += 2 + fields[place]
        else:
            place += 4
    return found


def answer(serial: int, fields: dict[int, str], body: bytes, fault: str) -> bytes:
    """What the bus or systemd says to a call."""
    member, path = fields.get(3), fields.get(1, "")
    if member == "Hello":
        own = bytearray()
        put(own, "s", ":1.7")
        return message(2, serial, "s", bytes(own))
    if member == "ListUnits" and fault != "stranger":
        return message(2, serial, "a(ssssssouso)", units())
    if member == "Get" and fault != "stranger":
        name, wanted = NAMES.get(path, ""), list(strings(body))[1]
        if (name, wanted) in PROPERTIES:
            kind, value = PROPERTIES[name, wanted]
            held = bytearray(bytes([1]) + kind.encode() + b"\0")
            put(held, kind, value)
            return message(2, serial, "v", bytes(held))
    said = bytearray()
    put(said, "s", f"no {member} here")
    return message(3, serial, "s", bytes(said), "org.freedesktop.DBus.Error.UnknownObject")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str) -> None:
    if fault == "silent":
        await reader.read()
        return
    await reader.readexactly(1)
    while (line := await reader.readline()) and not line.startswith(b"BEGIN"):
        begins = {
            b"AUTH EXT": b"REJECTED\r\n" if fault == "rejects" else b"OK 0123\r\n",
            b"NEGOTIAT": b"ERROR\r\n",
        }
        writer.write(begins.get(line[:8], b"REJECTED EXTERNAL\r\n"))
    while not reader.at_eof():
        try:
            head = await reader.readexactly(16)
        except asyncio.IncompleteReadError:
            break
        _, kind, _, _, length, serial, size = struct.unpack("<cBBBIII", head)
        rest = await reader.readexactly(size + -size % 8 + length)
        if fault == "garbage":
            writer.write(b"l\x02\x01\x01" + b"\xff" * 200)
        elif kind == 1:
            writer.write(answer(serial, asked(rest[:size]), rest[len(rest) - length :], fault))
    writer.close()


async def main(path: str, fault: str = "") -> None:
    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer, fault)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_unix_server(come, path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def bus(folder: Path, fault: str = "") -> Iterator[Path]:
    """Runs this for a host whose root is a folder; its socket there."""
    path = Path(f"{folder}{SOCKET}")
    path.parent.mkdir(parents=True)
    with subprocess.Popen([sys.executable, __file__, str(path), fault], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield path
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
