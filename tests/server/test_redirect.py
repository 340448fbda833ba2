"""Plain HTTP beside TLS leads people to the page of this host, and nobody anywhere else."""

from __future__ import annotations

import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application

from monitor.server.guard import Guard
from monitor.server.redirect import redirecting
from monitor.telemetry import Telemetry

from .conftest import Ask


@pytest.fixture
def prefix() -> str:
    return "/"


@pytest.fixture
def app(telemetry: Telemetry, prefix: str) -> Application:
    return redirecting(Guard(frozenset({"localhost", "monitor.example.org"})), telemetry, prefix, 8844)


@pytest.mark.parametrize(
    ("host", "location"),
    [("localhost:8080", "https://localhost:8844/"), ("Monitor.Example.org", "https://Monitor.Example.org:8844/"),
     ("192.0.2.7:80", "https://192.0.2.7:8844/"), ("[::1]:80", "https://[::1]:8844/"),
     ("[::1]", "https://[::1]:8844/")],
)  # fmt: skip
@pytest.mark.gen_test
async def test_people_are_led_to_the_host_that_they_asked_for(
    http_server: HTTPServer, ask: Ask, host: str, location: str
) -> None:
    answer = await ask("/?to=https://evil.example/", headers={"Host": host}, follow_redirects=False)
    assert (answer.code, answer.headers["Location"]) == (307, location)
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil.example", "localhost:80:80", "", "[::1"])
@pytest.mark.gen_test
async def test_a_host_that_is_not_ours_is_led_nowhere(http_server: HTTPServer, ask: Ask, host: str) -> None:
    answer = await ask("/", headers={"Host": host}, follow_redirects=False)
    assert answer.code in (400, 421)
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("HEAD", "/", 307), ("GET", "/api/boards", 403), ("GET", "/metrics", 403), ("GET", "/live", 403),
     ("GET", "//evil.example/", 403), ("GET", "/index.html", 403), ("POST", "/", 405),
     ("POST", "/api/v1/query", 403)],
)  # fmt: skip
@pytest.mark.gen_test
async def test_programs_are_refused(
    http_server: HTTPServer, ask: Ask, method: str, path: str, code: int
) -> None:
    body = b"" if method == "POST" else None
    answer = await ask(path, method=method, body=body, follow_redirects=False)
    assert answer.code == code


class TestBelowAPrefix:
    @pytest.fixture
    def prefix(self) -> str:
        return "/a.b/"

    @pytest.mark.parametrize("path", ["/", "/a.b", "/a.b/"])
    @pytest.mark.gen_test
    async def test_the_page_is_below_it(
        self, http_server: HTTPServer, ask: Ask, http_port: int, path: str
    ) -> None:
        answer = await ask(path, follow_redirects=False)
        assert answer.headers["Location"] == "https://127.0.0.1:8844/a.b/"
        assert (await ask("/aXb/")).code == 403


@pytest.mark.parametrize(("port", "location"), [(443, "https://localhost/"), (80, "https://localhost:80/")])
def test_the_usual_port_is_not_named(telemetry: Telemetry, port: int, location: str) -> None:
    rule = redirecting(Guard(), telemetry, "/", port).wildcard_router.rules[0]
    assert rule.target_kwargs["to"] == location.removeprefix("https://localhost")
