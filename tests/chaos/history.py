"""One run: a dozen faults drawn from a seed, then calm, and what every viewer holds in the end."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.faults import VIEWERS, Fault, drawn
from tests.chaos.stage import Stage, staged
from tests.chaos.truth import Count, compare
from tests.network import Network, network

TICKS = 40
"""In which faults begin, by default."""
CALM = 10
"""Ticks after the last fault was lifted, by which all have come back."""
PATIENCE = 240
"""Seconds for the faults, and for the return of all."""


@dataclass(frozen=True)
class Outcome:
    seed: int
    kinds: Counter[str]
    """How often each kind of fault struck somebody."""
    viewers: int
    connections: int
    catch_ups: int
    lost: int
    """Connections that viewers gave up for silence."""
    jumps: int
    """Ticks that did not follow, after which a viewer subscribed again."""
    count: Count

    @property
    def mismatches(self) -> list[str]:
        return self.count.mismatches


def own_network() -> AbstractContextManager[Network]:
    """A namespace that only this process uses."""
    number = os.getpid()
    subnet = f"198.19.{number % 256}"
    there = [f"{subnet}.{10 + viewer}" for viewer in range(VIEWERS)]
    return network(f"monitor-chaos-{number}", f"chaos{number}", f"{subnet}.1", *there)


async def history(seed: int, folder: Path, joined: Network, ticks: int = TICKS, workers: int = 1) -> Outcome:
    """Faults begin within so many ticks, and so many processes serve.

    Raises TimeoutError where somebody does not come back.
    """
    faults = drawn(seed, ticks)
    async with staged(joined, folder, seed, workers) as stage:
        await strike(stage, faults)
        stage.tell(range(VIEWERS), "wake")
        goal = stage.clock.book.n + CALM
        async with asyncio.timeout(PATIENCE):
            await stage.all_reach(goal)
        await stage.learn()
        reports = await stage.reports()
        count = compare(reports, stage.truths, goal * stage.clock.book.step)
        count.mismatches += [f"the service logged: {line}" for line in stage.service.complaints()]
    return Outcome(
        seed,
        Counter(fault.kind for fault in faults for _ in fault.victims or (None,)),
        len(reports),
        sum(report["connections"] for report in reports),
        sum(report["catch_ups"] for report in reports),
        sum(report["lost"] for report in reports),
        sum(report["jumps"] for report in reports),
        count,
    )


async def strike(stage: Stage, faults: list[Fault]) -> None:
    """All faults, each in its time; returns when all are lifted."""
    start = stage.clock.book.n
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(stage.play(fault, start))
