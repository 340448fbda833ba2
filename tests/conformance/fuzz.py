"""Handshakes and frames made up by a seeded generator, against the echo in this process.

    python -m tests.conformance.fuzz 1000000 [--seed N]

Whatever a client sends and however it leaves: no exception that nobody expected, no log record at WARNING or
above, and no handler, task or descriptor left behind.  A case is its seed and number, and can be seen again.
"""

import argparse
import asyncio
import gc
import logging
import random
import re
import socket
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from monitor.server.listener import make_server
from tests.conformance.cases import CASES
from tests.conformance.echo import Living, make_echo
from tests.conformance.frames import BINARY, FIN, RSV1, TEXT, deflated, frame, header
from tests.conformance.handshakes import HANDSHAKES
from tests.conformance.peer import OFFER, RESET, request

TOGETHER = 32
"""Connections at a time."""
PATIENCE = 60
"""Seconds in which everything must have ended; more than a closing handshake may take."""
GOOD = request("/plain"), request("/deflate", f"Sec-WebSocket-Extensions: {OFFER}")
SEEDS = [case.sent for case in CASES if len(case.sent) < 4096]


@dataclass
class Outcome:
    """How many cases met what, what was logged, and what is left behind."""

    met: Counter[str] = field(default_factory=Counter)
    records: list[str] = field(default_factory=list)
    opened: int = 0
    handlers: int = 0
    tasks: int = 0
    descriptors: int = 0

    @property
    def clean(self) -> bool:
        return not (self.records or self.handlers or self.tasks or self.descriptors)


def invented(dice: random.Random) -> bytes:
    """What one client sends: a handshake, mostly a good one, and then frames, mostly wrong ones."""
    chance = dice.random()
    if chance < 0.8:
        opening = dice.choice(GOOD)
    else:
        opening = dice.choice(HANDSHAKES).sent
        opening = opening if chance < 0.9 else mutated(opening, dice)
    return opening + b"".join(piece(dice) for _ in range(dice.randrange(1, 5)))


def piece(dice: random.Random) -> bytes:
    chance = dice.random()
    if chance < 0.3:
        return dice.choice(SEEDS)
    if chance < 0.6:
        return mutated(dice.choice(SEEDS), dice)
    if chance < 0.9:
        return any_frame(dice)
    return dice.randbytes(dice.randrange(40))


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, dropped or said twice."""
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(4):
            case 0:
                changed[at : at + 1] = dice.randbytes(1)
            case 1:
                del changed[at : at + dice.randrange(1, 9)]
            case 2:
                changed[at:at] = changed[at : at + dice.randrange(1, 9)]
            case 3:
                changed[at : at + 1] = bytes(byte ^ 1 << dice.randrange(8) for byte in changed[at : at + 1])
    return bytes(changed)


def any_frame(dice: random.Random) -> bytes:
    body = dice.randbytes(dice.choice((0, 1, 2, 5, 125, 126, 300))) if dice.random() < 0.5 else b"Hello"
    first = (
        dice.randrange(256)
        if dice.random() < 0.3
        else dice.choice((0, FIN)) | dice.choice((0, 1, 2, 8, 9, 10))
    )
    if dice.random() < 0.3:
        first, body = FIN | RSV1 | dice.choice((TEXT, BINARY)), deflated(body)
    if dice.random() < 0.1:
        return header(first, dice.randrange(1 << 63), 8) + dice.randbytes(dice.randrange(8))
    return frame(first, body, key=dice.randbytes(4))


async def suffered(port: int, sent: bytes, dice: random.Random) -> str:
    """Sends it all, leaves in one of three ways, and names what the server made of it."""
    # Source addresses in plenty: each port rests for a minute.
    with socket.create_connection(
        ("127.0.0.1", port), source_address=(f"127.0.1.{dice.randrange(1, 250)}", 0)
    ) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        cut = dice.randrange(len(sent))
        peer.sendall(sent[:cut])
        if dice.random() < 0.3:
            await asyncio.sleep(0)
        peer.sendall(sent[cut:])
        if dice.random() < 0.1:
            return "left by a reset"
        peer.shutdown(socket.SHUT_WR)
        if dice.random() < 0.1:
            return "left without reading"
        peer.setblocking(False)
        return named(await everything(peer))


async def everything(peer: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    got = bytearray()
    try:
        while part := await loop.sock_recv(peer, 1 << 16):
            got += part
    except ConnectionResetError:
        pass
    return bytes(got)


CLOSED = re.compile(rb"\x88[\x02-\x7d]([\x03-\x13].)[ -~]*\Z", re.DOTALL)


def named(got: bytes) -> str:
    """The closing code at the end of it, or the status at its start."""
    closed = CLOSED.search(got)
    if closed is not None:
        code = int.from_bytes(closed[1])
        return f"closed {code}" if code < 3000 else "closed by a code of its own"
    return got[9:12].decode() or "nothing"


async def fuzz(cases: int, seed: int) -> Outcome:
    outcome = Outcome()
    gc.collect()  # What others left behind is none of this.
    handler = Collected(outcome.records)
    logging.getLogger().addHandler(handler)
    before = descriptors()
    try:
        await attacked(cases, seed, outcome)
        gc.collect()  # What nobody awaited is logged now.
    finally:
        logging.getLogger().removeHandler(handler)
    outcome.descriptors = descriptors() - before
    return outcome


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def attacked(cases: int, seed: int, outcome: Outcome) -> None:
    living = Living()
    server = make_server(make_echo(living=living))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    server.add_socket(listener)
    port = listener.getsockname()[1]
    numbers = iter(range(cases))

    async def some() -> None:
        for number in numbers:
            dice = random.Random(f"{seed}/{number}")
            outcome.met[await suffered(port, invented(dice), dice)] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(TOGETHER):
            group.create_task(some())
    server.stop()
    await server.close_all_connections()
    running = asyncio.all_tasks() - {asyncio.current_task()}
    if running:
        _, late = await asyncio.wait(running, timeout=PATIENCE)
        outcome.tasks = len(late)
    outcome.handlers, outcome.opened = living.now, living.opened


class Collected(logging.Handler):
    """Keeps what is said at WARNING and above."""

    def __init__(self, records: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(self.format(record))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=int)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    outcome = asyncio.run(fuzz(asked.cases, asked.seed))
    sys.stdout.write(f"{outcome}\n")
    sys.exit(not outcome.clean)


if __name__ == "__main__":
    main()
