"""Hostile names before a real Chromium: each must be text, and nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests import node
from tests.chaos.processes import ROOT
from tests.e2e.conftest import SWITCHES, listen
from tests.faults.guests import Guest, invited, users, watching
from tests.faults.names import hostile_names, legend, mount, mount_points, quoted, shown
from tests.faults.options import Options, progress
from tests.faults.row import Row
from tests.faults.scene import played
from tests.faults.serving import Serving, serving
from tests.service import SERVE

TITLE = "B4: hostile names in Chromium"
NAMES, BOARD, MOST = 300, 30, 100
"""Strings in all, those of one board, and the most mount points and viewers."""
RECORDED = ROOT / "tests" / "collect" / "fixtures" / "desktop"
WATCHING = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective);
});
"""
TELL = (
    "({ ran: 'ran' in window, violations: window.violations, live: document.querySelector('h1') !== null })"
)
TEXTS = "all => all.map(one => one.textContent)"


@dataclass
class Outcome:
    shown: Counter[str] = field(default_factory=Counter)
    """Texts that were as they should be, by what they name."""
    wrong: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the browser said: errors, dialogs, requests elsewhere."""
    ran: int = 0
    violations: list[str] = field(default_factory=list)

    def compare(self, what: str, wanted: Sequence[str], found: Sequence[str]) -> None:
        """Both in any order."""
        wanted_all, found_all = Counter(wanted), Counter(found)
        self.shown[what] += (wanted_all & found_all).total()
        self.wrong += [f"{what} not shown: {text[:120]!r}" for text in wanted_all - found_all]


def rows(options: Options) -> Iterator[Row]:
    names = hostile_names(options.of(NAMES), options.seed)
    yield from told(played(lambda folder: campaign(folder, names)))


def told(found: Outcome) -> Iterator[Row]:
    for what, count in found.shown.items():
        yield Row(f"{what}, each shown as the text that it is", count, count > 0)
    yield Row("shown otherwise, or not at all", len(found.wrong), not found.wrong)
    yield Row("pages in which a script of theirs ran", found.ran, not found.ran)
    yield Row("violations of the content security policy", len(found.violations), not found.violations)
    said = len(found.complaints)
    yield Row("errors on the console, dialogs, requests of other origins", said, not said)


async def campaign(folder: Path, names: list[str]) -> Outcome:
    found = Outcome()
    await asyncio.to_thread(node.built_page)
    devices = [name for name in names if is_device(name)]
    points, guests = mount_points(names)[:MOST], invited(names)[:MOST]
    boards = [names[first : first + BOARD] for first in range(0, len(names), BOARD)]
    settings = await asyncio.to_thread(written, folder, boards, devices, points)
    with (folder / "config.yaml").open("a") as config:
        config.write(users(guests))
    command = (*SERVE, "--config", str(folder / "config.yaml"))
    async with serving(folder, command, **settings) as service, page_of(service, found) as page:
        await page.goto(f"{service.url}#b0")
        for number, board in enumerate(boards):
            await seen(page, number, board, found)
        await told_by(page, found)
        titles = await page.locator("nav a").evaluate_all(TEXTS)
        found.compare("board titles", [board[0] for board in boards], titles)
        await page.goto(f"{service.url}#devices")
        found.compare(
            "network devices", list(map(shown, devices)), await legends(page, "devices", len(devices))
        )
        await told_by(page, found)
        await page.goto(f"{service.url}#mounts")
        wanted = [shown(point.decode(errors="replace")) for point in points]
        found.compare("mount points", wanted, await legends(page, "mounts", len(points)))
        await told_by(page, found)
        async with watching(service, guests):
            await compare_viewers(page, guests, found)
            await told_by(page, found)
    progress("\n".join([*found.wrong[:20], *found.complaints[:20]]))
    return found


def is_device(name: str) -> bool:
    """Whether a network device may be called so (Linux, dev_valid_name), but for its length."""
    blank = set(b" \t\n\v\f\r\xa0\0:/")
    return not blank & set(name.encode()) and 0 < len(name) < 300


def written(folder: Path, boards: list[list[str]], devices: list[str], points: list[bytes]) -> dict[str, str]:
    """config.yaml and what the kernel says; the settings besides."""
    proc = folder / "proc"
    shutil.copytree(RECORDED / "proc", proc)
    with (proc / "net/dev").open("a") as table:
        table.writelines(f"{name}: {' '.join('1' * 16)}\n" for name in devices)
    with (proc / "1/mounts").open("ab") as mounts:
        mounts.writelines(map(mount, points))
    text = "boards:\n" + "".join(board(number, names) for number, names in enumerate(boards))
    text += "  - name: devices\n    title: devices\n    panels:\n"
    text += panel("devices", ['{query: "node_network_receive_bytes_total", legend: "{{device}}"}'])
    text += "  - name: mounts\n    title: mounts\n    panels:\n"
    text += panel("mounts", ['{query: "node_filesystem_device_error", legend: "{{mountpoint}}"}'])
    (folder / "config.yaml").touch(mode=0o600)
    (folder / "config.yaml").write_text(text)
    return {
        "COLLECT__COLLECTORS__FILESYSTEM__EVERY": "1s",
        "SERVER__WEBSOCKET__PER_ADDRESS": "500",
        "COLLECT__PROCFS": str(proc),
        "COLLECT__INSTANCE": boards[0][0] if "\0" not in boards[0][0] else "host",
    }


def board(number: int, names: list[str]) -> str:
    """A board with the first name as its title, all as legends of a panel, and all as titles of panels."""
    legends = [
        f'{{query: "node_load1 + {place}", legend: {quoted(name)}}}' for place, name in enumerate(names)
    ]
    text = f"  - name: b{number}\n    title: {quoted(names[0])}\n    panels:\n" + panel("legends", legends)
    return text + "".join(panel(name, ['{query: "node_load1"}']) for name in names)


def panel(title: str, queries: list[str]) -> str:
    return f"      - {{title: {quoted(title)}, queries: [{', '.join(queries)}]}}\n"


async def seen(page: Page, number: int, names: list[str], found: Outcome) -> None:
    """The titles and legends of one board."""
    await page.evaluate(f"location.hash = 'b{number}'")
    titles = page.locator("article h3")
    await page.wait_for_function(
        "([count, title]) => document.querySelectorAll('article h3').length === count"
        " && document.querySelector('main > h2').textContent === title",
        arg=[len(names) + 1, names[0]],
    )
    found.compare("panel titles", ["legends", *names], await titles.evaluate_all(TEXTS))
    labels = {"instance": "", "job": "node"}
    wanted = [legend(name, labels) or "legends" for name in names]
    found.compare("legends", wanted, await legends(page, "legends", len(names)))


async def legends(page: Page, title: str, count: int) -> list[str]:
    article = page.get_by_role("article", name=title, exact=True)
    await article.scroll_into_view_if_needed()
    texts = article.locator("li span")
    await texts.nth(count - 1).wait_for(state="attached")
    return list(await texts.evaluate_all(TEXTS))


async def told_by(page: Page, found: Outcome) -> None:
    """What the page itself knows of scripts and of its policy."""
    told = await page.evaluate(TELL)
    found.ran += told["ran"] or not told["live"]
    found.violations += told["violations"]


async def compare_viewers(page: Page, guests: Sequence[Guest], found: Outcome) -> None:
    """User and program of each, as the table of viewers has them."""
    table = page.get_by_role("region", name="Viewers")
    await table.get_by_role("button", name="Viewers").click()
    names = table.locator("tbody th span")
    await names.nth(len(guests)).wait_for(state="attached")
    programs = await table.locator("tbody th small").evaluate_all(TEXTS)
    who, what = zip(*(guest.cells for guest in guests), strict=True)
    found.compare("user names", who, await names.evaluate_all(TEXTS))
    found.compare("User-Agents", what, programs)


@asynccontextmanager
async def page_of(service: Serving, found: Outcome) -> AsyncIterator[Page]:
    # Playwright's own Node wants a library (libatomic) that a bare Debian lacks.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(await asyncio.to_thread(node.node))
    browser = await asyncio.to_thread(node.chromium)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=browser.path, env={**os.environ, **browser.environment}, args=SWITCHES
        )
        page = await chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(30_000)
        listen(page, service.url, found.complaints)
        await page.add_init_script(WATCHING)
        page.on("dialog", lambda dialog: found.complaints.append(f"dialog: {dialog.message}"))
        try:
            yield page
        finally:
            await chromium.close()
