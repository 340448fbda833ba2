"""What holds for every route: who may ask, what stands on every answer, and the shape of every error."""

import json
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.routing import URLSpec
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from monitor.access import Permission
from monitor.server.base import HEADERS, Base
from monitor.telemetry import Telemetry

from .conftest import Ask

WITHIN_API = "/api/v1/"
ANSWERS = {
    "/": 200,
    "/index.html": 200,
    "/login": 200,
    "/api/session": 200,
    "/icon.svg": 200,
    "/missing.js": 404,
    "/api/boards": 200,
    "/api/nothing": 404,
    "/api/v1/query?query=node_load1": 200,
    "/api/v1/query_range?query=node_load1&start=1764000000&end=1764000000&step=1": 200,
    "/api/v1/series?match[]=node_load1": 200,
    "/api/v1/labels": 200,
    "/api/v1/label/job/values": 200,
    "/api/v1/metadata": 200,
    "/api/v1/events": 200,
    "/api/v1/burst": 200,
    "/api/v1/burst/0": 404,
    "/api/v1/burst/0/query_range": 404,
    "/api/v1/processes": 200,
    "/api/v1/host": 200,
    "/api/v1/nothing": 404,
    "/metrics": 200,
    "/healthz": 200,
    "/readyz": 200,
    "/raises": 500,
    "/upgrade": 400,
}
"""Every route, and what it answers to somebody who may ask."""
CACHED = {"/", "/index.html", "/login", "/icon.svg"}

LINK = "a link on a foreign page"
ASKERS: dict[str, tuple[dict[str, str], int]] = {
    "a browser on this machine": ({"Host": "localhost:8844", "Origin": "http://localhost:8844"}, 0),
    "a program without an origin": ({"Host": "127.0.0.1:8844"}, 0),
    "a listed origin": ({"Host": "localhost", "Origin": "https://monitor.example.org"}, 0),
    "a foreign host": ({"Host": "monitor.evil.example"}, 421),
    "a name rebound to this machine": (
        {
            "Host": "rebind.example:8844",
            "Origin": "http://rebind.example:8844",
            "Sec-Fetch-Site": "same-origin",
        },
        421,
    ),
    "a foreign origin": ({"Host": "localhost:8844", "Origin": "https://evil.example"}, 403),
    LINK: (
        {"Host": "localhost:8844", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        0,
    ),
    "an image on a foreign page": (
        {"Host": "localhost:8844", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
        403,
    ),
    "a frame of another port": (
        {"Host": "localhost:8844", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "iframe"},
        403,
    ),
    "a page without an origin of its own": ({"Host": "localhost:8844", "Origin": "null"}, 403),
    "an origin that is none": ({"Host": "localhost:8844", "Origin": "http://["}, 403),
}
"""Headers, and the status that they bring; 0 for the route's own."""


class Raises(Base):
    needs = Permission.VIEW

    def get(self) -> None:
        raise RuntimeError("a secret of the inside")

    def post(self) -> None:
        self.write("taken")


class Upgrade(Base, WebSocketHandler):
    needs = Permission.VIEW


@pytest.fixture
def options(options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "live": [(r"/upgrade", Upgrade, {})]}


@pytest.fixture
def app(app: Application) -> Application:
    app.wildcard_router.rules.insert(0, URLSpec(r"/raises", Raises))
    return app


def error_of(path: str, answer: HTTPResponse) -> tuple[str, str]:
    """Code and message; fails where the body has not the shape of its part of the API."""
    assert answer.headers["Content-Type"].startswith("application/json")
    told = json.loads(answer.body)
    if path.startswith(WITHIN_API):
        assert set(told) == {"status", "errorType", "error"}
        assert told["status"] == "error"
        return told["errorType"], told["error"]
    assert set(told) == {"error"}
    assert set(told["error"]) == {"code", "message"}
    return told["error"]["code"], told["error"]["message"]


def test_the_table_names_every_route(app: Application) -> None:
    paths = [path.partition("?")[0] for path in ANSWERS]
    for rule in app.wildcard_router.rules:
        assert any(rule.matcher.regex.match(path) for path in paths), rule.matcher.regex.pattern  # type: ignore[attr-defined]


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ANSWERS)
async def test_who_gets_what(ask: Ask, expect_log: Any, path: str) -> None:
    if ANSWERS[path] == 500:
        expect_log("Raises GET failed")
    for asker, (headers, refused) in ASKERS.items():
        answer = await ask(path, headers=headers)
        assert answer.code == (refused or ANSWERS[path]), asker
        if answer.code != 200 and answer.code != 400:
            code, message = error_of(path, answer)
            assert code
            assert message
            assert "secret" not in message


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_has_the_security_headers(ask: Ask, expect_log: Any, path: str) -> None:
    if path == "/raises":
        expect_log("Raises GET failed")
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
        headers = (await ask(path, method=method, allow_nonstandard_methods=True)).headers
        for name, value in HEADERS.items():
            assert headers[name] == value or (name == "Cache-Control" and path in CACHED), (method, name)
        assert "Server" not in headers
        assert not [name for name in headers if name.startswith("Access-Control-")]


def test_the_policy_lets_no_foreign_content_in() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy.pop("trusted-types") == "svelte-trusted-html"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert {policy[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")} == {
        "'none'"
    }
    assert {source for value in policy.values() for source in value.split()} == {"'none'", "'self'", "data:"}


@pytest.mark.gen_test
async def test_a_foreign_page_posts_nothing(ask: Ask) -> None:
    for asker, (headers, refused) in ASKERS.items():
        answer = await ask("/raises", method="POST", body="", headers=headers)
        assert answer.code == (403 if asker == LINK else refused or 200), asker


@pytest.mark.gen_test
async def test_a_cross_site_post_without_an_origin_is_refused(ask: Ask) -> None:
    assert (await ask("/raises", method="POST", body="")).body == b"taken"
    answer = await ask("/raises", method="POST", body="", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.code == 403
    assert error_of("/raises", answer)[0] == "forbidden"


@pytest.mark.gen_test
async def test_upgrades_are_guarded_like_all_else(ask: Ask) -> None:
    # To version 12 Tornado answers 426, so that the connection stays one of HTTP.
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "12"}
    for asker, (headers, refused) in ASKERS.items():
        answer = await ask("/upgrade", headers=headers | upgrade)
        assert answer.code == (403 if asker == LINK else refused or 426), asker


@pytest.mark.gen_test
async def test_a_wrong_method_is_told_the_right_ones(ask: Ask) -> None:
    answer = await ask("/healthz", method="DELETE")
    assert (answer.code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert error_of("/healthz", answer)[0] == "method_not_allowed"


@pytest.mark.gen_test
async def test_a_failure_tells_nothing_of_the_inside(ask: Ask, expect_log: Any) -> None:
    expect_log("Raises GET failed")
    answer = await ask("/raises?token=1234")
    assert error_of("/raises", answer) == ("internal_server_error", "The service failed; its log says why.")


@pytest.mark.gen_test
async def test_answers_are_counted_by_handler_and_class(ask: Ask, telemetry: Telemetry) -> None:
    for path in ("/healthz", "/healthz", "/api/nothing"):
        await ask(path)
    assert telemetry.http_requests == {("Health", "2xx"): 2, ("NotFound", "4xx"): 1}


@pytest.mark.gen_test
async def test_multipart_bodies_are_not_read(ask: Ask) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    body = '--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n1\r\n--x--\r\n'
    answer = await ask("/api/v1/query", method="POST", body=body, headers=kind)
    assert (answer.code, error_of(WITHIN_API, answer)[0]) == (400, "bad_data")
