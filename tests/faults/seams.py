"""History where the wall clock is set, and where the service begins again with another clock.

What viewers were shown has to be found afterwards, by the query API, whatever the clock said meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient

from tests.faults.clock import DAY, HOUR, MISSING, Step, faked, library, set_by
from tests.faults.figures import figures
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.watcher import watched
from tests.service import Service

TITLE = "T2: history where the wall clock is set"
INTERVAL = 200
"""Milliseconds."""
TICKS = 15
"""That are shown after each step, and after each restart."""
ROUNDS = 3
TEN_YEARS = 3652 * DAY
STEPS: tuple[Step, ...] = (
    ("an hour on", HOUR),
    ("an hour back", -HOUR),
    ("a day on", DAY),
    ("a day back", -DAY),
    ("ten years on", TEN_YEARS),
    ("ten years back", -TEN_YEARS),
)
APART = 60_000
"""Milliseconds between what is asked for at once."""


@dataclass
class Outcome:
    steps: int = 0
    restarts: int = 0
    shown: set[int] = field(default_factory=set)
    """Times that viewers were shown a tick of (ms)."""
    found: set[int] = field(default_factory=set)
    """Those of them that have a sample afterwards."""
    marked: int = 0
    """Steps that the time line tells of, by the process that saw them or the next."""
    paused: int = 0
    """How often history was not written."""


def rows(options: Options) -> Iterator[Row]:
    if not library():
        yield Row(MISSING, "not run", held=False)
        return
    steps = STEPS * options.of(ROUNDS)
    yield from told(played(lambda folder: campaign(folder, steps)))


def told(found: Outcome) -> Iterator[Row]:
    lost = len(found.shown - found.found)
    yield Row("steps of an hour, a day and ten years, on and back", found.steps)
    yield Row("restarts of the service, one after each", found.restarts)
    yield Row("rows that a viewer was shown", len(found.shown), len(found.shown) > found.steps)
    yield Row("of them not in history after the last restart", lost, not lost)
    yield Row("steps that are marked on the time line", found.marked, found.marked == found.steps)
    yield Row("times that history was paused", found.paused, not found.paused)


async def campaign(folder: Path, steps: Sequence[Step], ticks: int = TICKS) -> Outcome:
    found = Outcome()
    offset = 0.0
    with faked(folder, {"COLLECT__INTERVAL": f"{INTERVAL}ms"}) as service:
        for kind, seconds in steps:
            offset += seconds
            progress(f"{kind}: {offset:+.0f} s")
            async with watched(service.url, 1) as [watcher]:
                before = len(await marks(service))
                set_by(folder, offset)
                await watcher.ticks(ticks)
                found.shown |= watcher.ticked
                found.marked += len(await marks(service)) > before
            found.paused += await paused(service)
            service.stop()
            service.start()
            found.steps += 1
            found.restarts += 1
            async with watched(service.url, 1) as [watcher]:
                await watcher.ticks(ticks)
                found.shown |= watcher.ticked
        for part in parts(sorted(found.shown)):
            found.found |= await stored(service, part)
        found.paused += await paused(service)
    return found


def parts(times: list[int]) -> Iterator[list[int]]:
    """Times that lie together."""
    borders = [0, *(n for n, (a, b) in enumerate(pairwise(times), 1) if b - a > APART), len(times)]
    for first, last in pairwise(borders):
        yield times[first:last]


async def asked(service: Service, path: str, **fields: object) -> Any:
    answer = await AsyncHTTPClient().fetch(f"{service.url}api/v1/{path}?{urlencode(fields)}")
    return json.loads(answer.body)["data"]


async def stored(service: Service, times: list[int]) -> set[int]:
    """The times, multiples of the interval, at which there is a sample."""
    query = {"query": f"count_over_time(node_load1[{INTERVAL}ms])", "step": INTERVAL / 1000}
    ends = {"start": times[0] / 1000, "end": times[-1] / 1000}
    found = await asked(service, "query_range", **query, **ends)
    return {round(time * 1000) for series in found["result"] for time, _ in series["values"]} & set(times)


async def marks(service: Service) -> list[Any]:
    """The steps of the clock that are marked."""
    events: list[Any] = await asked(service, "events")
    return [event for event in events if event["kind"] == "clock"]


async def paused(service: Service) -> bool:
    page = await AsyncHTTPClient().fetch(f"{service.url}metrics")
    return bool(figures(page.body)["monitor_history_paused"])
