"""Requests from a process of its own: `python -m tests.faults.flood PORT SEED COUNT RATE hostile`.

Several at once, at most RATE a second in all (0: as fast as they are answered); without `hostile` each is a
right one.  What came of them goes to stdout as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from random import Random

from tests.conformance.peer import dialled
from tests.faults.hostile import HIDDEN, hostile

AT_ONCE = 32
FIRST, NEXT = 0.5, 0.02
"""Seconds to wait for the beginning of an answer, and for more of it."""
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
RIGHT = b"GET /api/v1/query?query=up HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Came:
    """Of all requests."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        """By kind and status; 0 where there was no answer."""
        self.failures: list[str] = []
        """Answers that say that the service failed (RFC 9110, 15.6), with what was sent."""
        self.smuggled: list[str] = []
        """Two answers to a request that hid another one, the second of which was taken for one's own."""

    def note(self, kind: str, sent: bytes, answer: bytes) -> None:
        found = STATUS.findall(answer)
        status = int(found[0]) if found else 0
        self.statuses[f"{kind} {status}"] += 1
        if any(int(each) >= 500 for each in found):
            self.failures.append(f"{kind}: {sent[:300]!r}: {answer[:200]!r}")
        # A request after one whose end is plain is none that was smuggled.
        if len(found) > 1 and HIDDEN in sent and b"Transfer-Encoding" in sent and b"Content-Length" in sent:
            self.smuggled.append(f"{sent[:300]!r}: {answer[:200]!r}")


async def asked(port: int, sent: bytes) -> bytes:
    """What comes of it until the service closes or falls silent."""
    answer = b""
    with suppress(OSError, TimeoutError):
        async with dialled(port) as (reader, writer):
            writer.write(sent)
            patience = FIRST
            while more := await asyncio.wait_for(reader.read(1 << 16), patience):
                answer += more
                patience = NEXT
    return answer


def drawn(seed: int, count: int, bad: bool) -> Iterator[tuple[str, bytes]]:
    random = Random(seed)
    return (hostile(random) if bad else ("right", RIGHT) for _ in range(count))


async def main(port: int, seed: int, count: int, rate: float, bad: bool) -> Came:
    came, requests = Came(), drawn(seed, count, bad)
    loop = asyncio.get_running_loop()
    began, begun = loop.time(), 0

    async def one_after_another() -> None:
        nonlocal begun
        for kind, sent in islice(requests, count):
            begun += 1
            if rate and (early := began + begun / rate - loop.time()) > 0:
                await asyncio.sleep(early)
            came.note(kind, sent, await asked(port, sent))

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return came


if __name__ == "__main__":
    port, seed, count, rate, what = sys.argv[1:]
    came = asyncio.run(main(int(port), int(seed), int(count), float(rate), what == "hostile"))
    sys.stdout.write(json.dumps(vars(came)))
