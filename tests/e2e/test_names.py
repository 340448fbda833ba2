"""Names that the host gives are text to the page, whatever they look like."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.conftest import Browse
from tests.e2e.sight import panel, says, values
from tests.service import running

RECORDED = Path(__file__).resolve().parents[1] / "collect" / "fixtures" / "desktop" / "proc"
DEVICE = "<img/src=x/onerror=alert(1)>"
INSTANCE = "<script>alert(2)</script>"


@pytest.mark.gen_test(timeout=60)
async def test_markup_in_names_is_shown_and_does_nothing(browse: Browse, tmp_path: Path) -> None:
    procfs = tmp_path / "proc"
    shutil.copytree(RECORDED, procfs)
    with (procfs / "net/dev").open("a") as devices:
        devices.write(f"{DEVICE}: {' '.join('1' * 16)}\n")
    with running(tmp_path, COLLECT__PROCFS=str(procfs), COLLECT__INSTANCE=INSTANCE) as service:
        page = await browse(service.url)
        await says(page, "live")
        await expect(page.get_by_role("heading", level=1)).to_have_text(INSTANCE)
        await values(page, "Network traffic")
        legend = panel(page, "Network traffic").get_by_role("list")
        await expect(legend.get_by_role("button", name=f"{DEVICE} in")).to_be_visible()
        assert await page.locator("img[src=x]").count() == 0
