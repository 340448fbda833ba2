"""Logging in and out as people do it: by password, by link, on a phone, with the keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from monitor.access import Folder
from monitor.access.invitation import link
from monitor.access.passwords import hashed
from tests import node
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.service import SERVE, Service, running

SHOTS = Path(__file__).resolve().parents[2] / "test-results"
REFUSED = re.compile("with a status of 401|HTTP Authentication failed")
USERS = """
access:
  users:
    - {{name: alice, password: '{hash}', role: viewer}}
    - {{name: oscar, password: '{hash}', role: operator}}
"""


def with_users(folder: Path) -> list[str]:
    """The command of a service that has users."""
    node.built_page()
    (folder / "config.yaml").write_text(USERS.format(hash=hashed("correct horse")))
    (folder / "config.yaml").chmod(0o600)
    return [*SERVE, "--config", str(folder / "config.yaml")]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two users, closed to everybody else."""
    folder = tmp_path_factory.mktemp("guarded")
    with running(folder, with_users(folder), ACCESS__ANONYMOUS="none") as started:
        yield started


@pytest.fixture
def forgiving(complaints: list[str]) -> Iterator[None]:
    """The browser says on its console that somebody was refused, which is what happens here."""
    yield
    complaints[:] = [text for text in complaints if not REFUSED.search(text)]


def new_link(service: Service) -> str:
    return link(Folder(service.folder / "state" / "access"), service.url, time.time())


async def log_in(page: Page, name: str, password: str) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


@pytest.mark.usefixtures("forgiving")
@pytest.mark.gen_test(timeout=60)
async def test_a_password_opens_the_page_and_logging_out_closes_it(browse: Browse, guarded: Service) -> None:
    page = await browse(guarded.url)
    await expect(page).to_have_title("Log in · Monitor")
    await expect(page.get_by_label("Name")).to_be_focused()
    await log_in(page, "alice", "wrong horse")
    await expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    await expect(page.get_by_label("Password")).to_be_focused()
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await says(page, "live")
    out = page.get_by_role("button", name="alice, viewer: log out")
    await expect(page.get_by_role("button", name="Viewers")).to_have_count(0)
    await out.click()
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.usefixtures("forgiving")
@pytest.mark.gen_test(timeout=60)
async def test_a_page_whose_session_ends_elsewhere_asks_to_log_in(browse: Browse, guarded: Service) -> None:
    page = await browse(guarded.url)
    await log_in(page, "alice", "correct horse")
    await says(page, "live")
    await page.evaluate("void fetch('api/session', { method: 'DELETE' })")
    await expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.usefixtures("forgiving")
@pytest.mark.gen_test(timeout=60)
async def test_an_operator_sees_who_watches_by_name(browse: Browse, guarded: Service) -> None:
    page = await browse(guarded.url)
    await log_in(page, "oscar", "correct horse")
    await says(page, "live")
    await expect(page.get_by_role("button", name="Viewers")).to_be_visible()


@pytest.mark.usefixtures("forgiving")
@pytest.mark.gen_test(timeout=60)
async def test_a_link_opens_the_page_once_and_leaves_no_code_behind(window: Browse, guarded: Service) -> None:
    address = new_link(guarded)
    page = await window(guarded.url)
    await page.goto(address)
    await says(page, "live")
    assert page.url == guarded.url
    assert "code" not in await page.evaluate(
        "JSON.stringify(performance.getEntries().map(each => each.name))"
    )
    await expect(page.get_by_role("button", name="local, admin: log out")).to_be_visible()
    again = await window(guarded.url)
    await again.goto(address)
    await expect(again.get_by_role("alert")).to_contain_text("used already")
    assert again.url == f"{guarded.url}login"
    assert await page.evaluate("document.cookie") == ""


@pytest.mark.usefixtures("forgiving")
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.gen_test(timeout=60)
async def test_the_page_to_log_in_fits_a_phone(browse: Browse, guarded: Service, scheme: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    for name, size in {"phone": (360, 640), "desk": (1280, 800)}.items():
        viewport = {"width": size[0], "height": size[1]}
        page = await browse(guarded.url, viewport=viewport, color_scheme=scheme)
        await expect(page.get_by_label("Password")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        await page.screenshot(path=SHOTS / f"login-{name}-{scheme}.png")


@pytest.mark.usefixtures("forgiving")
@pytest.mark.gen_test(timeout=60)
async def test_a_service_without_users_says_how_to_come_by_a_link(browse: Browse, tmp_path: Path) -> None:
    with running(tmp_path, ACCESS__ANONYMOUS="none") as service:
        page = await browse(service.url)
        await expect(page.get_by_text("monitor login-link")).to_be_visible()
        await expect(page.get_by_label("Password")).to_have_count(0)
        await page.set_viewport_size({"width": 360, "height": 640})
        await page.goto(new_link(service))
        await says(page, "live")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.get_by_role("button", name="local, admin: log out").click()
        await expect(page.get_by_text("monitor login-link")).to_be_visible()
        await page.close()  # It may be loading its icon while the service ends.


@pytest.mark.gen_test(timeout=60)
async def test_who_may_look_already_can_log_in_to_see_more(browse: Browse, tmp_path: Path) -> None:
    with running(tmp_path, with_users(tmp_path), ACCESS__ANONYMOUS="viewer") as service:
        page = await browse(service.url)
        await says(page, "live")
        await page.get_by_role("link", name="Log in").click()
        await log_in(page, "oscar", "correct horse")
        await says(page, "live")
        assert page.url == service.url
        await expect(page.get_by_role("button", name="oscar, operator: log out")).to_be_visible()
        await page.close()
