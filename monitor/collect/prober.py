"""Asks hosts of the network whether they answer and how fast, as a program of its own: looking up a name may
take its time, and what is measured is then not slowed down by what else the service does.

Run by path under `python -I -S`, so it imports nothing of ours.  Each line in is a JSON object: `targets`, as
`icmp://host`, `tcp://host:port`, `tls://host:port`, `http://...` or `https://...`, and `limit` in seconds for
each.  Each line out is a JSON object: by target `success`, `seconds`, `error`, and what else it told:
`phases` in seconds, `status`, `length`, `expiry` in Unix seconds, `version`, `ip` (4 or 6).
"""

import asyncio
import json
import os
import socket
import ssl
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251  (this process may be killed)
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

BODY = 1 << 20
"""Bytes of an answer that are read."""
HEAD = 1 << 16
LOOKUPS = 128
"""Names that are looked up at once."""
PORTS = {"http": 80, "https": 443}
REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
Told = dict[str, Any]
clock = time.perf_counter


class Phases:
    """How long each part of a probe took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = clock()

    def end(self, name: str) -> None:
        now = clock()
        self.seconds[name] = now - self._since
        self._since = now


async def probed(target: str, limit: float) -> Told:
    """What a target tells in time."""
    told: Told = {"success": False, "error": ""}
    began = clock()
    try:
        async with asyncio.timeout(limit):
            await probe(urlsplit(target), told)
    except TimeoutError:
        told["error"] = f"no answer in {limit:g} s"
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
        told["error"] = str(error) or type(error).__name__
    return told | {"seconds": clock() - began}


async def probe(target: SplitResult, told: Told) -> None:
    """Ask, and put what is learnt into `told` as soon as it is."""
    phases = Phases()
    told["phases"] = phases.seconds
    port = target.port or PORTS.get(target.scheme, 0)
    family, address = await looked_up(target.hostname or "", port)
    phases.end("resolve")
    told["ip"] = 4 if family == socket.AF_INET else 6
    if target.scheme == "icmp":
        await ping(family, address, phases)
        told["success"] = True
        return
    reader, writer = await asyncio.open_connection(*address[:2], family=family)
    phases.end("connect")
    try:
        if target.scheme in ("tls", "https"):
            await secured(writer, target.hostname or "", told, phases)
        if target.scheme in PORTS:
            await asked(reader, writer, target, told, phases)
        told["success"] = target.scheme not in PORTS or 200 <= told["status"] < 400
        if not told["success"]:
            told["error"] = f"status {told['status']}"
    finally:
        writer.transport.abort()


async def looked_up(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """The first address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, address = found[0]
    return family, address


async def secured(writer: asyncio.StreamWriter, host: str, told: Told, phases: Phases) -> None:
    """TLS with a certificate that is trusted for the host."""
    await writer.start_tls(ssl.create_default_context(), server_hostname=host)
    phases.end("tls")
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    told["expiry"] = ssl.cert_time_to_seconds(certificate["notAfter"])


async def asked(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: SplitResult,
    told: Told,
    phases: Phases,
) -> None:
    """GET, as HTTP/1.1 has it (RFC 9112); a way elsewhere is an answer, and not gone."""
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {target.netloc}", "User-Agent: monitor", "Accept: */*"]
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    phases.end("processing")
    first, *rest = head.split("\r\n")
    version, _, status = first.partition(" ")
    if not version.startswith("HTTP/") or not status[:3].isdigit():
        raise ValueError(f"an answer of HTTP expected, found {first[:40]!r}")
    told["status"], told["version"] = int(status[:3]), float(version.removeprefix("HTTP/"))
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)
    }
    most = int(fields["content-length"]) if fields.get("content-length", "").isdigit() else BODY
    told["length"] = await received(reader, min(most, BODY), "chunked" in fields.get("transfer-encoding", ""))
    phases.end("transfer")


async def received(reader: asyncio.StreamReader, most: int, chunked: bool) -> int:
    """How many bytes of an answer came, at most that many."""
    count, last = 0, b""
    while count < most and (piece := await reader.read(min(HEAD, most - count))):
        count, last = count + len(piece), (last + piece)[-5:]
        if chunked and last == b"0\r\n\r\n":
            break
    return count


async def ping(family: socket.AddressFamily, address: Any, phases: Phases) -> None:
    """One echo (RFC 792, RFC 4443), by a socket that needs no right where the kernel lets us, else by a raw
    one.  A reply is known by what it sends back."""
    with ping_socket(family) as sock:
        sock.setblocking(False)
        sock.connect(address)
        phases.end("setup")
        nonce = os.urandom(16)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, echo(REQUEST[family], nonce))
        while True:
            answer = await loop.sock_recv(sock, HEAD)
            raw = family == socket.AF_INET and sock.type == socket.SOCK_RAW
            start = (answer[0] & 15) * 4 if raw else 0
            if answer[start : start + 1] == bytes([REPLY[family]]) and answer.endswith(nonce):
                break
        phases.end("rtt")


def ping_socket(family: socket.AddressFamily) -> socket.socket:
    """Raises PermissionError where neither is allowed."""
    with suppress(PermissionError):
        return socket.socket(family, socket.SOCK_DGRAM, PROTOCOL[family])
    try:
        return socket.socket(family, socket.SOCK_RAW, PROTOCOL[family])
    except PermissionError:
        why = "not allowed: widen net.ipv4.ping_group_range, or give the service CAP_NET_RAW"
        raise PermissionError(why) from None


def echo(kind: int, nonce: bytes) -> bytes:
    """A message whose checksum (RFC 1071) is right; the kernel makes its own where it wants to."""
    head = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1)
    words = struct.unpack(f"!{(len(head) + len(nonce)) // 2}H", head + nonce)
    total = sum(words)
    total = (total >> 16) + (total & 0xFFFF)
    total += total >> 16
    return head[:2] + struct.pack("!H", ~total & 0xFFFF) + head[4:] + nonce


async def answered(targets: list[str], limit: float) -> dict[str, Told]:
    """All targets at once."""
    found = await asyncio.gather(*(probed(target, limit) for target in targets))
    return dict(zip(targets, found, strict=True))


def main() -> None:
    """Answer until the other end closes."""
    # Nothing of the service may stay open in a process that may never end: neither its port nor its folder.
    last = max(map(int, os.listdir("/proc/self/fd")))  # noqa: PTH208  (pathlib takes longer to load than all this)
    os.closerange(3, last + 1)
    os.chdir("/")
    with asyncio.Runner() as runner:
        # A name that nobody answers for holds its thread for half a minute, and no other lookup.
        runner.get_loop().set_default_executor(ThreadPoolExecutor(LOOKUPS))
        for line in sys.stdin.buffer:
            answer = json.dumps(runner.run(answered(**json.loads(line)))).encode()
            sys.stdout.buffer.write(answer + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
