"""A chart that runs from last month to now, as a person sees it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import expect

from monitor.model import Event, Floats, Kind, Labels, Metric, Times
from monitor.storage.tier import HOUR, Entry
from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import panel, says
from tests.e2e.wire import tap
from tests.seeded import seed
from tests.service import SERVE, Service

SHOTS = Path(__file__).resolve().parents[2] / "test-results"
DAY = 24 * HOUR
YESTERDAY = datetime.now(UTC).replace(microsecond=0, tzinfo=None) - timedelta(days=1)
BOARD = """
boards:
  - name: past
    title: Past
    panels:
      - {title: Load, queries: [{query: node_load1}]}
      - {title: Most load, queries: [{query: "max_over_time(node_load1[$__rate_interval])"}]}
      - {title: Forks, queries: [{query: "rate(node_forks_total[$__rate_interval])"}]}
"""
HATCHED = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const painted = (share) => {
    const x = Math.round(width * share);
    const opaque = Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3]);
    return opaque.filter((value) => value > 0).length;
  };
  // Half the way is in the gap, whose band goes from top to bottom; near the end there is the line alone.
  return painted(0.5) > height / 2 && painted(0.95) < height / 2;
}"""
TARGET: Labels = (("instance", "here"), ("job", "node"))


def entry(name: str, kind: Kind) -> Entry:
    return Entry(tuple(sorted((("__name__", name), *TARGET))), Metric(name, kind, ""))


ENTRIES = [entry("node_load1", Kind.GAUGE), entry("node_forks_total", Kind.COUNTER)]


def values(times: Times) -> Floats:
    """A load that follows the day, and ten forks a second; a machine that was started anew each week."""
    load = 2 + np.sin(times / DAY * 2 * np.pi)
    return np.stack([load, times % (7 * DAY) / 100], 1)


def happened(now: int) -> str:
    """What the service noted in these months."""
    events = [
        Event(now - 20 * DAY, now - 13 * DAY, "gap", "the service did not run for 7 days"),
        Event(now - 9 * DAY, now - 9 * DAY, "clock", "the clock was set back by 3 seconds"),
        Event(now - 6 * DAY, now - 6 * DAY, "damage", "cannot be read: node_load1 (m1-1.db)"),
        Event(now - 4 * DAY, now - 3 * DAY, "paused", "history was not written: the disk is full"),
    ]
    return "".join(json.dumps(event._asdict()) + "\n" for event in events)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that has run for two months."""
    node.built_page()
    folder = tmp_path_factory.mktemp("old")
    now = int(time.time() * 1000)
    (folder / "state" / "history").mkdir(parents=True)
    seed(folder / "state" / "history", TARGET, ENTRIES, values, now - 60 * DAY, now)
    (folder / "state" / "history" / "events.jsonl").write_text(happened(now))
    (folder / "config.yaml").write_text(BOARD)
    command = (*SERVE, "--config", str(folder / "config.yaml"))
    started = Service(folder, command, COLLECT__INSTANCE="here")
    started.start()
    yield started
    started.stop()


@pytest.mark.gen_test(timeout=90)
async def test_a_chart_runs_from_last_month_to_now_without_a_seam(window: Browse, old: Service) -> None:
    page = await window(old.url)
    wire = tap(page)
    await page.goto(old.url)
    await says(page, "live")
    await page.get_by_label("Longer").select_option("30 days")
    await expect(page).to_have_url(re.compile(r"\?range=30d"))
    await expect(page.get_by_role("group", name="Time shown")).to_have_attribute("aria-busy", "false")
    past = wire.of("subscribed")[-1]
    times, rows = past["columns"]["t"], past["columns"]["v"]
    assert past["complete"]
    assert {later - earlier for earlier, later in pairwise(times)} == {HOUR}
    for row, least, most in ((rows[0], 1, 3), (rows[1], 1, 3), (rows[2], 9.9, 10.1)):
        # The last column may be of the minutes that this machine has really run.
        known = row[:-1]
        assert None not in known, "a gap"
        assert all(least <= value <= most for value in known)
    await expect(panel(page, "Load").locator("canvas")).to_be_visible()
    # The newest column is as old as its step by design, and is not said to be old.
    await expect(page.get_by_test_id("age")).to_have_text("1 h steps")
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / "past.png")


@pytest.mark.gen_test(timeout=90)
async def test_what_happened_is_marked_on_charts_and_listed_for_the_keyboard(
    window: Browse, old: Service
) -> None:
    page = await window(old.url)
    await page.goto(f"{old.url}?range=30d")
    await says(page, "live")
    marks = page.get_by_test_id("happened")
    await expect(marks.locator("summary")).to_contain_text("marks on the charts")
    await marks.locator("summary").focus()
    await page.keyboard.press("Enter")
    gap = marks.get_by_role("button", name=re.compile("the service did not run for 7 days"))
    await gap.focus()
    # All charts point at where it began, and say what it was.
    await expect(panel(page, "Load").get_by_test_id("mark")).to_have_text(
        "the service did not run for 7 days"
    )
    slider = panel(page, "Load").get_by_role("slider")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile("^the service did not run"))
    assert await panel(page, "Load").locator("canvas").evaluate(HATCHED)
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / "marks.png")


@pytest.mark.gen_test(timeout=90)
async def test_an_address_leads_to_a_part_of_the_past_and_back_to_now(window: Browse, old: Service) -> None:
    page = await window(old.url)
    await page.goto(f"{old.url}?range=24h&until=2020-01-01T00:00:00Z")
    await says(page, "past")
    await expect(panel(page, "Load")).to_contain_text("No data")
    await page.goto(f"{old.url}?range=7d")
    await says(page, "live")
    await page.keyboard.press("[")
    await says(page, "past")
    await expect(page.get_by_test_id("past")).to_contain_text(re.compile(r"^\d{4}-"))
    await expect(page).to_have_url(re.compile(r"until="))
    await page.get_by_role("button", name="Now").click()
    await says(page, "live")
    await page.get_by_role("button", name="5 min", exact=True).click()
    await says(page, "live")
    await expect(page).to_have_url(re.compile(r"^[^?]*$"))


@pytest.mark.gen_test(timeout=90)
async def test_what_is_drawn_over_on_a_chart_is_looked_at_and_pressed_twice_is_left_again(
    window: Browse, old: Service
) -> None:
    page = await window(old.url)
    await page.goto(f"{old.url}?range=24h&until={YESTERDAY.isoformat()}Z")
    await says(page, "past")
    chart = panel(page, "Load").get_by_role("slider")
    await expect(chart).to_have_attribute("aria-valuetext", re.compile(r"\d"))
    box = await chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    await page.mouse.up()
    await expect(page).to_have_url(re.compile(r"range=\d{5}s&until="))
    drawn = int(re.findall(r"range=(\d+)s", page.url)[0])
    assert drawn == pytest.approx(24 * 3600 * 0.2 / 0.83, rel=0.1), "the axis takes the rest of the width"
    await page.mouse.dblclick(box["x"] + box["width"] * 0.5, middle)
    await expect(page).to_have_url(re.compile(f"range={2 * drawn}s"))
    await page.mouse.move(0, 0)
    await page.keyboard.press("+")
    await expect(page).to_have_url(re.compile(f"range={drawn}s"))


@pytest.mark.gen_test(timeout=90)
async def test_from_and_to_are_entered_on_a_phone(browse: Browse, old: Service) -> None:
    page = await browse(old.url, viewport={"width": 390, "height": 844}, color_scheme="light")
    await says(page, "live")
    await page.get_by_role("button", name="From and to").click()
    await page.get_by_label("From", exact=True).fill("2020-01-02T00:00:00")
    await page.get_by_label("To", exact=True).fill("2020-01-01T00:00:00")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("alert")).to_contain_text("minute after")
    await page.get_by_label("From", exact=True).fill("2019-12-01T00:00:00")
    await page.get_by_role("button", name="Show").click()
    await says(page, "past")
    await expect(page.get_by_test_id("past")).to_contain_text("2019-12-01 00:00")
    SHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SHOTS / "past-phone.png")
    await page.goto(f"{old.url}?range=30d")
    await expect(page.get_by_test_id("happened")).to_be_visible()
    await page.screenshot(path=SHOTS / "marks-phone.png", full_page=True)
