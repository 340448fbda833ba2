"""Viewers and questions while something is done to the service: what they notice of it.

`python -m tests.nspawn.load HOST VIEWERS TIMES restart COMMAND...` runs the command so many times, waits each
time for all viewers to be back and whole, and prints what was counted, as JSON.  With `stay` they stay.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from tests.chaos.member import Member, Tally, hole
from tests.chaos.processes import PORT
from tests.chaos.questions import steady

PATIENCE = 120
TURNS = 3
"""Ticks that all have seen before the next time."""


@dataclass
class Noticed:
    took: list[float] = field(default_factory=list)
    """Seconds of the command, each time."""
    back: list[float] = field(default_factory=list)
    """Seconds until the last viewer was back, from the start of the command."""
    holes: list[float] = field(default_factory=list)
    """Seconds of columns that nobody measured."""
    answered: int = 0
    failed: int = 0
    slowest: float = 0.0
    turned_away: int = 0
    """Questions that found nobody listening."""
    refused: int = 0
    """Viewers that found nobody listening."""
    told: int = 0
    """Times that viewers were told when to come back."""
    wrong: list[str] = field(default_factory=list)


async def noticed(host: str, viewers: int, times: int, leave: bool, command: Sequence[str]) -> Noticed:
    tally, found = Tally(), Noticed()
    members = [Member(tally, host, PORT, seed) for seed in range(viewers)]
    tasks = [asyncio.create_task(member.run()) for member in members]
    try:
        async with asyncio.timeout(PATIENCE * times), steady(host, PORT) as questions:
            await tally.back(members)
            for _ in range(times):
                await once(members, tally, leave, command, found)
        vars(found).update(vars(questions))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found.refused = tally.refused
    found.wrong = [fault for member in members for fault in member.faults]
    return found


async def once(
    members: list[Member], tally: Tally, leave: bool, command: Sequence[str], found: Noticed
) -> None:
    await tally.at(members, max(member.n for member in members) + TURNS)
    tally.spreads.clear()
    back = asyncio.create_task(tally.back(members))
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, f"{command} failed"
    found.took.append(time.monotonic() - began)
    if not leave:
        back.cancel()
        await tally.at(members, max(member.n for member in members) + TURNS)
        return
    await back
    found.back.append(time.monotonic() - began)
    found.holes.append(hole(members))
    found.told += bool(tally.spreads)


def main() -> None:
    host, viewers, times, mode, *command = sys.argv[1:]
    found = asyncio.run(noticed(host, int(viewers), int(times), mode == "restart", command))
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
