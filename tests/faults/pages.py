"""A page in Chromium that is busy, hidden, frozen or offline, and what it has when that is over."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from playwright.async_api import Browser, async_playwright

from tests import node
from tests.e2e.conftest import SWITCHES
from tests.e2e.tab import Tab
from tests.faults.figures import asked, gone
from tests.faults.options import Options, progress
from tests.faults.row import Row, within
from tests.faults.scene import SHORT, played
from tests.faults.watcher import Watcher, watched
from tests.service import running

TITLE = "V3: a page that is busy, hidden, frozen or offline"
CYCLES = 20
KINDS = ("busy", "hidden", "frozen", "offline")
KEPT = ("busy", "hidden")
"""Those whose connection lives.  Chromium itself cuts a frozen page's, and nothing reaches one offline."""
SECONDS = 5.0
"""That each cycle lasts: several times the deadlines below, which are a tenth of the defaults."""
SETTINGS = {
    **SHORT,
    "SERVER__WEBSOCKET__ACK_AFTER": "500ms",
    "SERVER__WEBSOCKET__PARK_AFTER": "2s",
}
BACK = 3.0
LEAK = 3_000_000
"""Bytes by which the heap may be larger in the end than after the first cycle of each kind."""
PATIENCE = 60
SIGN = "document.querySelector('[data-testid=sign]').dataset.state"
BUSY = "for (const end = performance.now() + {}; performance.now() < end;);"
OFFLINE = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@dataclass
class Outcome:
    cycles: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """Sessions that ended in cycles of each kind."""
    back: list[float] = field(default_factory=list)
    columns: int = 0
    missing: int = 0
    heap: list[float] = field(default_factory=list)
    """Bytes in use after a collection, at the end of each cycle."""
    cut: int = 0

    @property
    def growth(self) -> float:
        return self.heap[-1] - self.heap[min(len(self.heap), len(KINDS)) - 1]


def rows(options: Options) -> Iterator[Row]:
    yield from told(played(lambda folder: campaign(folder, options.of(CYCLES), SECONDS)))


def told(found: Outcome) -> Iterator[Row]:
    for kind, count in found.cycles.items():
        yield Row(f"cycles in which the page was {kind}", count)
    kept = sum(found.lost[kind] for kind in KEPT)
    yield Row("connections lost while it was busy or hidden", kept, not kept)
    for kind in sorted(found.cycles.keys() - set(KEPT)):
        yield Row(f"connections lost while it was {kind}", found.lost[kind])
    yield within("longest time until it had the newest column and said so, s", max(found.back), BACK)
    yield Row("columns that it was sent", found.columns)
    yield Row("missing between the first and the last", found.missing, not found.missing)
    yield Row("its heap in the end, bytes", f"{found.heap[-1]:,.0f}")
    yield Row("more than after the first of each kind", f"{found.growth:,.0f}", found.growth <= LEAK)
    yield Row("viewers beside it that were cut", found.cut, not found.cut)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    program = node.chromium()
    environment: dict[str, str | float | bool] = {**os.environ, **program.environment}
    # Playwright's own Node wants a library (libatomic) that a bare Debian lacks.
    with patch.dict(os.environ, PLAYWRIGHT_NODEJS_PATH=str(node.node())):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program.path, env=environment, args=SWITCHES
            )
            yield browser
            await browser.close()


async def campaign(folder: Path, cycles: int, seconds: float) -> Outcome:
    node.built_page()
    found = Outcome()
    with running(folder, **SETTINGS) as service:
        async with watched(service.url, 1) as (beside,), chromium() as browser:
            tab = await Tab.open(browser, service.url)
            await tab.wire.more("tick", 2)
            for number in range(cycles):
                kind = KINDS[number % len(KINDS)]
                before = gone(await asyncio.to_thread(asked, service.url))
                await suffered(tab, kind, seconds)
                found.back.append(await caught_up(tab, beside))
                found.cycles[kind] += 1
                found.lost[kind] += round(gone(await asyncio.to_thread(asked, service.url)) - before)
                found.heap.append(await heap(tab))
                progress(f"{kind}: back after {found.back[-1]:.2f} s, heap {found.heap[-1]:,.0f}")
            judged(found, tab)
            found.cut = int(beside.cut)
    return found


async def suffered(tab: Tab, kind: str, seconds: float) -> None:
    """Returns at the end of it."""
    if kind == "busy":
        await tab.evaluate(BUSY.format(1000 * seconds))
    elif kind == "hidden":
        await tab.hide()
        await asyncio.sleep(seconds)
        await tab.show()
    elif kind == "frozen":
        await tab.send("Page.setWebLifecycleState", state="frozen")
        await asyncio.sleep(seconds)
        await tab.send("Page.setWebLifecycleState", state="active")
        await tab.show()  # Chromium hides what it freezes.
    else:
        await tab.send("Network.emulateNetworkConditions", offline=True, **OFFLINE)
        await asyncio.sleep(seconds)
        await tab.send("Network.emulateNetworkConditions", offline=False, **OFFLINE)


async def caught_up(tab: Tab, beside: Watcher) -> float:
    """Seconds until the page has what was the newest when it could see again, and says that it is live."""
    began = time.monotonic()
    newest = beside.times[-1]
    async with asyncio.timeout(PATIENCE):
        await tab.wire.until(lambda: max(tab.wire.times(), default=0) >= newest)
        while await tab.evaluate(SIGN) != "live":
            await tab.wire.more("tick")
    return time.monotonic() - began


async def heap(tab: Tab) -> float:
    await tab.send("HeapProfiler.collectGarbage")
    return float((await tab.send("Runtime.getHeapUsage"))["usedSize"])


def judged(found: Outcome, tab: Tab) -> None:
    """What a frozen page did not get to see is sent again, so a column may be on the wire twice."""
    step = tab.wire.of("welcome")[0]["step"]
    times = tab.wire.times()
    found.columns = len(times)
    found.missing = len(set(range(times[0], times[-1] + step, step)) - set(times))
