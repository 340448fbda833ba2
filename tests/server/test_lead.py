"""Below a prefix: everything is there, nothing is elsewhere, and people are led to it."""

from typing import Any

import pytest
from tornado.httpserver import HTTPServer

from .conftest import Ask

PREFIX = "/a.b/monitor/"


@pytest.fixture
def options(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "prefix": PREFIX}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "icon.svg",
        "api/boards",
        "api/v1/labels",
        "api/v1/label/job/values",
        "metrics",
        "healthz",
        "readyz",
    ],
)
@pytest.mark.gen_test
async def test_everything_is_below_the_prefix(http_server: HTTPServer, ask: Ask, path: str) -> None:
    assert (await ask(PREFIX + path)).code == 200
    elsewhere = await ask(f"/{path or 'index.html'}")
    assert elsewhere.code == 404


@pytest.mark.parametrize("path", ["/a.b/monitor", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.gen_test
async def test_people_are_led_to_the_page(http_server: HTTPServer, ask: Ask, path: str, method: str) -> None:
    answer = await ask(f"{path}?to=//evil.example", method=method, follow_redirects=False)
    assert (answer.code, answer.headers["Location"]) == (307, PREFIX)
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "path", ["/a.b/monitorx", "/a.b", "/aXb/monitor/", "//a.b/monitor/", "/x/a.b/monitor/"]
)
@pytest.mark.gen_test
async def test_nothing_is_beside_it(http_server: HTTPServer, ask: Ask, path: str) -> None:
    assert (await ask(path)).code == 404


@pytest.mark.gen_test
async def test_a_foreign_host_is_led_nowhere(http_server: HTTPServer, ask: Ask) -> None:
    assert (await ask("/", headers={"Host": "evil.example"}, follow_redirects=False)).code == 421
