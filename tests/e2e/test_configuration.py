"""A configuration that is taken, refused or put right while people watch."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Page, expect

from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import panel, says
from tests.service import SERVE, Service

BOARD = {
    "name": "overview",
    "title": "Overview",
    "panels": [{"title": "Load", "queries": [{"query": "node_load1"}]}],
}
WRONG = """\
server:
  listen: 8844
  websocket: {max_clients: many, ping_timeout: 1m}
collect:
  intervall: 5s
boards:
  - name: overview
    title: Overview
    panels:
      - title: Load
        queries: [{query: "rat(node_cpu_seconds_total[1m])"}]
log: {level: loud}
"""
RESULTS = Path(__file__).parents[2] / "test-results"
"""For people to look at."""


class Configured(Service):
    """A service with a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.path.write_text("{}")
        super().__init__(folder, (*SERVE, "--config", str(self.path)))

    def reload(self, text: str) -> None:
        self.path.write_text(text)
        self.send(signal.SIGHUP)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    node.built_page()
    service = Configured(tmp_path)
    service.start()
    yield service
    service.stop()


def settings(**wanted: Any) -> str:
    return yaml.safe_dump(wanted)


async def shot(page: Page, name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    await page.screenshot(path=RESULTS / f"{name}.png")


@pytest.mark.gen_test(timeout=90)
async def test_a_refused_configuration_is_on_every_page_until_it_is_put_right(
    browse: Browse, configured: Configured
) -> None:
    page = await browse(configured.url, color_scheme="dark")
    await says(page, "live")
    banner = page.get_by_test_id("configuration")
    await expect(banner).to_be_empty()
    configured.reload(WRONG)
    await expect(banner).to_contain_text("The new configuration was refused")
    await expect(banner).to_contain_text(re.compile(r"config\.yaml:11:27.*expected a query in PromQL"))
    await expect(banner).to_contain_text("unknown setting, did you mean interval?")
    await expect(banner.get_by_role("listitem")).to_have_count(5)
    await says(page, "live")
    await shot(page, "refused-dark")
    light = await browse(configured.url, color_scheme="light")
    await expect(light.get_by_test_id("configuration")).to_contain_text("log.level")
    await says(light, "live")
    await shot(light, "refused-light")
    phone = await browse(configured.url, viewport={"width": 390, "height": 844}, color_scheme="dark")
    await expect(phone.get_by_test_id("configuration")).to_contain_text("log.level")
    await says(phone, "live")
    assert await phone.evaluate("document.documentElement.scrollWidth") == 390
    await shot(phone, "refused-phone")
    configured.reload("collect: {job: web}")
    for each in (page, light, phone):
        await expect(each.get_by_test_id("configuration")).to_have_text(
            "Needs a restart to take effect: collect.job"
        )
    await shot(page, "waiting-dark")
    configured.reload("{}")
    await expect(banner).to_be_empty()


@pytest.mark.gen_test(timeout=90)
async def test_a_changed_board_is_drawn_without_a_reload_of_the_page(
    browse: Browse, configured: Configured
) -> None:
    page = await browse(configured.url)
    await says(page, "live")
    await page.evaluate("window.same = true")
    configured.reload(settings(boards=[BOARD, {**BOARD, "name": "more", "title": "More"}]))
    await expect(page.get_by_role("article")).to_have_count(1)
    await expect(panel(page, "Load").get_by_role("list")).to_have_text(re.compile(r"\d"))
    await expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Overview", "More"])
    await says(page, "live")
    assert await page.evaluate("window.same")
