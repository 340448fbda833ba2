"""Every route, asked by everybody: what each gets stands in a table, and a route that is not in it fails.

The handlers are the real ones, and so are the passwords.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse
from tornado.web import Application

from monitor.access import Access, Folder, Permission, Role, User, tokens
from monitor.access.access import command_code, link_code
from monitor.access.passwords import hashed
from monitor.server import events
from monitor.server.base import Base
from monitor.server.doorman import Doorman
from monitor.server.errors import Failure
from monitor.server.live import LiveHandler
from monitor.stream.audience import Audience
from monitor.stream.liveness import Awake
from monitor.telemetry import Telemetry
from tests.access.conftest import Clocks
from tests.stream.house import House

from .conftest import Ask

HASH = hashed("correct horse")
USERS = [User(role.value, HASH, role) for role in Role]
HOST = "localhost:8844"
OWN = {"Host": HOST, "Origin": f"http://{HOST}"}

NOTHING, VIEW, METRICS, VIEWERS, BURSTS = "nothing", "view", "metrics", "viewers", "bursts"
ROUTES: dict[str, tuple[str, str, int]] = {
    # Path: what it needs, the method that does it, and the answer to somebody who may.
    "/": (VIEW, "GET", 200),
    "/index.html": (VIEW, "GET", 200),
    "/icon.svg": (NOTHING, "GET", 200),
    "/assets/index-Ab_-1234.js": (NOTHING, "GET", 200),
    "/login": (NOTHING, "GET", 200),
    "/healthz": (NOTHING, "GET", 200),
    "/readyz": (NOTHING, "GET", 200),
    "/api/session": (NOTHING, "GET", 200),
    "/api/boards": (VIEW, "GET", 200),
    "/api/viewers": (VIEWERS, "GET", 200),
    "/api/viewers/nobody": (VIEWERS, "DELETE", 404),
    "/api/nothing": (VIEW, "GET", 404),
    "/api/v1/query?query=node_load1": (VIEW, "GET", 200),
    "/api/v1/query_range?query=node_load1&start=1764000000&end=1764000000&step=1": (VIEW, "GET", 200),
    "/api/v1/series?match[]=node_load1": (VIEW, "GET", 200),
    "/api/v1/labels": (VIEW, "GET", 200),
    "/api/v1/label/job/values": (VIEW, "GET", 200),
    "/api/v1/metadata": (VIEW, "GET", 200),
    "/api/v1/events": (VIEW, "GET", 200),
    "/api/v1/processes": (VIEW, "GET", 200),
    "/api/v1/host": (VIEW, "GET", 200),
    "/api/v1/burst": (VIEW, "GET", 200),
    "/api/v1/burst?reason": (BURSTS, "POST", 400),
    "/api/v1/burst/0": (VIEW, "GET", 404),
    "/api/v1/burst/0/query_range": (VIEW, "GET", 404),
    "/api/v1/nothing": (VIEW, "GET", 404),
    "/metrics": (METRICS, "GET", 200),
    "/live": (VIEW, "GET", 426),
    "/events": (VIEW, "GET", 503),  # As there is room for nobody: a stream would not end.
    "/events/nobody": (VIEW, "POST", 404),
    "/events/nobody/pong": (VIEW, "POST", 404),
}
BODILESS = {"allow_nonstandard_methods": True}
"""A POST without a body is refused no later than one with one."""
PREFIX = "/there"
"""Routes are asked below a prefix, so that those that lead to it are among them."""
LEADS = {"/": (NOTHING, "GET", 307), "/there": (NOTHING, "GET", 307)}

HAS: dict[str, set[str]] = {
    "nobody": {NOTHING},
    "viewer": {NOTHING, VIEW, METRICS},
    "operator": {NOTHING, VIEW, METRICS, VIEWERS, BURSTS},
    "admin": {NOTHING, VIEW, METRICS, VIEWERS, BURSTS},
}
STRANGERS = ["expired", "logged out", "another password", "revoked token", "expired token", "made up",
             "basic", "wrong token beside a good cookie"]  # fmt: skip


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def access(tmp_path: Path, clocks: Clocks) -> Access:
    made = Access(Folder(tmp_path / "access"), USERS, None, lambda: clocks.wall, lambda: clocks.steady)
    made.open()
    return made


@pytest.fixture
def audience() -> Audience:
    return House().audience(Awake(lambda: 0.0, interval=1.0))


@pytest.fixture
def options(options: dict[str, Any], access: Access, audience: Audience) -> dict[str, Any]:
    live = (r"/live", LiveHandler, {"audience": audience, "compression": True, "send_buffer": 16384})
    audience.doors.clients = 0
    rules = [live, *events.rules(audience, 16384)]
    return {**options, "access": access, "live": rules, "audience": audience, "prefix": f"{PREFIX}/"}


@pytest.fixture
def people(access: Access, clocks: Clocks) -> dict[str, dict[str, str]]:
    """Headers of everybody: some have a session, some a token, some what was good once."""

    def session(name: str) -> dict[str, str]:
        return {"Cookie": f"{access.cookie}={access.begin(access.users[name])}"}

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def token(name: str, role: Role, expires: int | None = None) -> dict[str, str]:
        return bearer(tokens.create(access.folder, name, role, (), int(clocks.wall), expires))

    found = {"expired": session("admin")}
    clocks.go(13 * 3600)
    found |= {"nobody": {}, "made up": {"Cookie": f"{access.cookie}=anything"}}
    found |= {"basic": {"Authorization": "Basic YWRtaW46YWRtaW4="}}
    found["logged out"] = session("admin")
    access.end(found["logged out"]["Cookie"].partition("=")[2])
    found["another password"] = {
        "Cookie": f"{access.cookie}={access.begin(User('admin', 'old hash', Role.ADMIN))}"
    }
    for role in Role:
        found[role.value] = session(role.value)
        found[f"{role.value}'s token"] = token(role.value, role)
    found["revoked token"] = token("revoked", Role.ADMIN)
    found["expired token"] = token("expired", Role.ADMIN, int(clocks.wall))
    tokens.revoke(access.folder, "revoked")
    access.sweep(set())
    found["command"] = bearer(command_code(access.folder, clocks.wall))
    found["wrong token beside a good cookie"] = session("admin") | bearer("mon_wrong")
    return found


def role_of(person: str) -> str:
    return "admin" if person == "command" else "nobody" if person in STRANGERS else person.partition("'")[0]


def expected(person: str, needs: str, answer: int) -> int:
    may = HAS[role_of(person)]
    if needs in may:
        return answer
    return 401 if role_of(person) == "nobody" else 403


def rules(app: Application) -> list[tuple[re.Pattern[str], type[Base]]]:
    return [(rule.matcher.regex, rule.target) for rule in app.wildcard_router.rules]  # type: ignore[attr-defined]


def test_the_table_names_every_route(app: Application) -> None:
    paths = [PREFIX + path.partition("?")[0] for path in ROUTES] + list(LEADS)
    for pattern, handler in rules(app):
        first = [
            path for path in paths if next(rule for rule, _ in rules(app) if rule.match(path)) is pattern
        ]
        assert first, f"{pattern.pattern} ({handler.__name__}) is not in the table"


def test_every_route_says_what_it_needs_and_the_table_agrees(app: Application) -> None:
    asked = {PREFIX + path: row for path, row in ROUTES.items()} | LEADS
    for path, (needs, method, _) in asked.items():
        handler = next(handler for rule, handler in rules(app) if rule.match(path.partition("?")[0]))
        assert handler.needs is not None, handler
        assert handler.needed(method) == needs, path


@pytest.mark.gen_test
async def test_who_gets_what(ask: Ask, people: dict[str, dict[str, str]]) -> None:
    everything = {PREFIX + path: row for path, row in ROUTES.items()} | LEADS
    wrong = []
    for path, (needs, method, answer) in everything.items():
        for person, headers in people.items():
            found = await ask(path, method=method, headers=OWN | headers, follow_redirects=False, **BODILESS)
            if found.code != expected(person, needs, answer):
                wrong.append((person, method, path, found.code, expected(person, needs, answer)))
    assert not wrong


@pytest.mark.gen_test
async def test_nobody_gets_anything_from_elsewhere(ask: Ask, people: dict[str, dict[str, str]]) -> None:
    places = [
        ({"Host": HOST, "Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Host": "rebind.example:8844", "Origin": "http://rebind.example:8844"}, 421),
    ]
    for path, (_, method, _) in ROUTES.items():
        for person in ("nobody", "admin", "admin's token", "command"):
            for place, refused in places:
                found = await ask(PREFIX + path, method=method, headers=place | people[person], **BODILESS)
                assert found.code == refused, (person, path)


@pytest.mark.gen_test
async def test_no_answer_holds_a_secret_whose_letters_its_packed_size_could_tell(
    ask: Ask, people: dict[str, dict[str, str]], access: Access
) -> None:
    """Answers are packed and may repeat what was asked: there is nothing to find out beside it (BREACH)."""
    known = [access.folder.read("key") or "", *(user.password for user in USERS)]
    for person in ("viewer", "operator", "admin", "admin's token", "command"):
        headers = OWN | people[person]
        shown = people[person].get("Authorization") or people[person]["Cookie"]
        secrets = [secret.encode() for secret in (*known, re.split("[ =]", shown, maxsplit=1)[1])]
        assert min(map(len, secrets)) > 8
        for path, (_, method, _) in ROUTES.items():
            found = await ask(f"{PREFIX}{path}", method=method, headers=headers, **BODILESS)
            assert not [each for each in secrets if each in found.body], (person, path)


@pytest.mark.gen_test
async def test_a_handler_that_says_nothing_is_closed(
    app: Application, ask: Ask, people: dict[str, dict[str, str]]
) -> None:
    class Forgotten(Base):
        def get(self) -> None:
            self.write("everything")

    app.add_handlers(".*", [(r"/forgotten", Forgotten)])
    for person, headers in people.items():
        assert (await ask("/forgotten", headers=OWN | headers)).code == 403, person


@pytest.mark.gen_test
async def test_a_program_is_told_what_is_missing_and_a_person_gets_the_page_to_log_in(ask: Ask) -> None:
    answer = await ask(f"{PREFIX}/api/boards", headers=OWN)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="monitor"'
    assert json.loads(answer.body)["error"]["code"] == "not_logged_in"
    page = await ask(f"{PREFIX}/", headers=OWN)
    assert (page.code, page.headers["Cache-Control"]) == (401, "no-store")
    assert b"<title>log in</title>" in page.body


@pytest.mark.gen_test
async def test_what_changes_something_needs_the_page_s_origin_or_a_token(
    ask: Ask, people: dict[str, dict[str, str]]
) -> None:
    async def cut(headers: Mapping[str, str]) -> int:
        return (
            await ask(f"{PREFIX}/api/viewers/nobody", method="DELETE", headers={"Host": HOST, **headers})
        ).code

    assert await cut(people["admin"]) == 403
    assert await cut(people["admin"] | OWN) == 404
    assert await cut(people["admin's token"]) == 404


@pytest.mark.gen_test
async def test_everybody_may_what_the_owner_allows_to_everybody(
    ask: Ask, access: Access, people: dict[str, dict[str, str]]
) -> None:
    access.change(USERS, Role.VIEWER)
    for path, code in {"/": 200, "/api/boards": 200, "/api/viewers": 403}.items():
        assert (await ask(PREFIX + path, headers=OWN)).code == code, path
        assert (await ask(PREFIX + path, headers=OWN | people["made up"])).code == code, path
    assert (await ask(f"{PREFIX}/api/boards", headers=OWN | people["revoked token"])).code == 401


Post = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def post(ask: Ask) -> Post:
    """`await post(name, password)`: log in."""

    async def post(name: Any, password: Any, **headers: str) -> HTTPResponse:
        body = json.dumps({"name": name, "password": password})
        kind = {"Content-Type": "application/json"}
        return await ask(f"{PREFIX}/api/session", method="POST", body=body, headers=OWN | kind | headers)

    return post


def cookie_of(answer: HTTPResponse) -> Any:
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    return cookie


@pytest.mark.gen_test
async def test_a_user_logs_in_and_out(ask: Ask, post: Post, access: Access) -> None:
    answer = await post("operator", "correct horse")
    assert answer.code == 204
    cookie = cookie_of(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert not cookie["secure"]
    shown = {"Cookie": f"{cookie.key}={cookie.value}"}
    among = {
        "Cookie": f"a=b; {cookie.key}=old;;=; {' '.join(['c=d;'] * 900)} {cookie.key} = {cookie.value} ; e"
    }
    assert json.loads((await ask(f"{PREFIX}/api/session", headers=OWN | among)).body)["role"] is not None
    told = json.loads((await ask(f"{PREFIX}/api/session", headers=OWN | shown)).body)
    assert told == {
        "name": "operator",
        "role": "operator",
        "may": ["arguments", "bursts", "metrics", "nothing", "view", "viewers"],
        "users": True,
    }
    out = await ask(f"{PREFIX}/api/session", method="DELETE", headers=OWN | shown)
    assert (out.code, cookie_of(out).value) == (204, "")
    assert (await ask(f"{PREFIX}/api/boards", headers=OWN | shown)).code == 401
    assert json.loads((await ask(f"{PREFIX}/api/session", headers=OWN | shown)).body)["role"] is None


@pytest.mark.gen_test
async def test_a_new_log_in_ends_the_session_before_it(ask: Ask, post: Post, access: Access) -> None:
    first = cookie_of(await post("viewer", "correct horse"))
    again = cookie_of(await post("viewer", "correct horse", Cookie=f"{first.key}={first.value}"))
    assert again.value != first.value
    assert access.session(first.value) is None
    assert access.session(again.value)


@pytest.mark.gen_test
async def test_a_session_that_somebody_else_chose_is_not_taken_over(post: Post, access: Access) -> None:
    planted = cookie_of(await post("viewer", "correct horse", Cookie=f"{access.cookie}=planted"))
    assert planted.value != "planted"
    assert access.session("planted") is None


@pytest.mark.parametrize(
    ("name", "password"), [("viewer", "wrong horse"), ("nobody", "correct horse"), ("", "")]
)
@pytest.mark.gen_test
async def test_it_is_not_said_whether_the_name_or_the_password_is_wrong(
    post: Post, name: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    answer = await post(name, password)
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (401, "wrong_login")
    assert "Set-Cookie" not in answer.headers
    assert "horse" not in caplog.text
    assert "nobody" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/x-www-form-urlencoded", "name=viewer&password=correct+horse", 415),
        ("text/plain", '{"name": "viewer", "password": "correct horse"}', 415),
        ("application/json", "name=viewer", 400),
        ("application/json", "[]", 400),
        ("application/json", '{"name": "viewer"}', 400),
        ("application/json", '{"name": ["viewer"], "password": "correct horse"}', 400),
        ("application/json", '{"name": "' + "x" * 5000 + '", "password": "correct horse"}', 400),
        ("application/json", "[" * 4000, 400),
    ],
)
@pytest.mark.gen_test
async def test_only_json_logs_in(ask: Ask, kind: str, body: str, code: int) -> None:
    headers = OWN | {"Content-Type": kind}
    answer = await ask(f"{PREFIX}/api/session", method="POST", body=body, headers=headers)
    assert answer.code == code
    assert b"horse" not in answer.body


@pytest.mark.gen_test
async def test_guessing_is_slow(post: Post, telemetry: Telemetry) -> None:
    for _ in range(5):
        assert (await post("viewer", "wrong horse")).code == 401
    answer = await post("viewer", "correct horse")
    assert (answer.code, answer.headers["Retry-After"]) == (429, "60")
    assert json.loads(answer.body)["error"]["code"] == "too_many_tries"
    assert (await post("operator", "correct horse")).code == 429  # The address has to wait, too.
    assert telemetry.logins == {"wrong": 5, "paused": 2}


@pytest.mark.gen_test
async def test_many_at_once_are_compared_one_by_one_and_most_are_sent_away(post: Post) -> None:
    answers = await asyncio.gather(*(post("viewer", "wrong horse", Host=HOST) for _ in range(30)))
    codes = sorted(answer.code for answer in answers)
    assert codes.count(401) == 5
    assert set(codes) <= {401, 429, 503}


@pytest.mark.gen_test
async def test_an_eleventh_is_sent_away(access: Access, telemetry: Telemetry) -> None:
    doorman = Doorman(access, telemetry)
    tries = [doorman.admit(f"user{number}", "wrong horse", f"10.0.0.{number}") for number in range(11)]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert [end.status_code for end in ends if isinstance(end, Failure)] == [401] * 10 + [503]


@pytest.mark.gen_test
async def test_the_loop_turns_while_a_password_is_compared(access: Access, telemetry: Telemetry) -> None:
    doorman = Doorman(access, telemetry)
    trying = asyncio.create_task(doorman.admit("viewer", "correct horse", "10.0.0.1"))
    turns = 0
    while not trying.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await trying).name == "viewer"
    assert turns > 10


@pytest.fixture
def link(access: Access, clocks: Clocks) -> str:
    return f"{PREFIX}/login?code={link_code(access.folder, clocks.wall)}"


@pytest.mark.gen_test
async def test_a_link_leads_to_the_page_and_its_code_is_gone(
    ask: Ask, access: Access, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answer = await ask(link, headers={"Host": HOST}, follow_redirects=False)
    assert (answer.code, answer.headers["Location"]) == (303, f"{PREFIX}/")
    cookie = cookie_of(answer)
    found = access.session(cookie.value)
    assert found
    assert (found.name, found.role) == ("local", Role.ADMIN)
    assert link.partition("=")[2] not in caplog.text
    assert cookie.value not in caplog.text


@pytest.mark.gen_test
async def test_a_link_is_good_once(ask: Ask, link: str, telemetry: Telemetry) -> None:
    assert (await ask(link, headers={"Host": HOST}, follow_redirects=False)).code == 303
    answer = await ask(link, headers={"Host": HOST}, follow_redirects=False)
    assert answer.code == 401
    assert "Set-Cookie" not in answer.headers
    assert b"<title>log in</title>" in answer.body
    assert telemetry.logins == {"link": 1, "old-link": 1}


@pytest.mark.gen_test
async def test_a_link_is_not_used_up_by_a_look_ahead(ask: Ask, link: str) -> None:
    ahead = {"Host": HOST, "Sec-Purpose": "prefetch;prerender"}
    assert (await ask(link, headers=ahead, follow_redirects=False)).code == 503
    assert (await ask(link, method="HEAD", headers={"Host": HOST}, follow_redirects=False)).code == 200
    assert (await ask(link, headers={"Host": HOST}, follow_redirects=False)).code == 303


@pytest.mark.gen_test
async def test_a_page_of_elsewhere_logs_nobody_in(ask: Ask, link: str) -> None:
    foreign = [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
    ]
    for headers in foreign:
        assert (await ask(link, headers={"Host": HOST} | headers, follow_redirects=False)).code == 403


def test_every_permission_is_asked_for_somewhere() -> None:
    asked = {needs for needs, _, _ in ROUTES.values()}
    inside_a_table = {"arguments"}
    assert asked | inside_a_table == {permission.value for permission in Permission}
