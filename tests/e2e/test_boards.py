"""The boards that come with the service, on pages of any width: nothing beside the page, no hole in a row."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from monitor.config.library import BUILT_IN
from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.service import running

EDGES = """() => {
  const all = (within, id) => [...within.querySelectorAll(`[data-testid="${id}"]`)];
  const edges = ({left, right}) => [left, right].map(Math.round);
  const bounds = (within, id) => all(within, id).map((one) => edges(one.getBoundingClientRect()));
  const grids = all(document, "cards").map((grid) => bounds(grid, "panel"));
  return [grids, bounds(document, "headline"), document.documentElement.scrollWidth];
}"""
"""Asked at once: a panel that turns out to have no data leaves its grid."""


@pytest.mark.gen_test(timeout=120)
async def test_every_board_fills_its_rows_at_any_width(browse: Browse, tmp_path: Path) -> None:
    node.built_page()
    names = sorted(path.stem for path in BUILT_IN.glob("*.yaml"))
    with running(tmp_path, BOARDS=f"[{', '.join(names)}]") as service:
        page = await browse(service.url)
        await says(page, "live")
        shown = 0
        for link in await page.get_by_role("navigation", name="Boards").get_by_role("link").all():
            await link.click()
            await expect(link).to_have_attribute("aria-current", "page")
            for width in (390, 900, 1440):
                await page.set_viewport_size({"width": width, "height": 900})
                grids, cells, across = await page.evaluate(EDGES)
                for edges in grids:
                    assert min(right - left for left, right in edges) > 250
                    assert edges[-1][1] == max(right for _, right in edges)
                assert cells[-1][1] == max(right for _, right in cells)
                assert across <= width
                shown += len(grids)
        assert shown > len(names)
