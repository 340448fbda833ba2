"""Each setting that says that a reload takes it, under a running service that goes by the new value."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.app import Service
from monitor.config import Settings, fields
from monitor.config.problems import Key, dotted
from monitor.config.section import Takes
from tests.reloaded import BOARD, Client, Run, running

Check = Callable[[Run], Awaitable[None]]
CHECKS: dict[str, tuple[Any, Check]] = {}
"""By key path: another value than the default, and what sees that the running service goes by it."""


def seen(key: str, value: Any) -> Callable[[Check], Check]:
    def note(check: Check) -> Check:
        CHECKS[key] = value, check
        return check

    return note


def read_from(key: str, value: Any, wanted: object, look: Callable[[Service], object]) -> None:
    async def check(run: Run) -> None:
        assert look(run.service) == wanted

    CHECKS[key] = value, check


WEBSOCKET = "server.websocket."
read_from(WEBSOCKET + "ping_timeout", "7s", 7.0, lambda service: service.audience.bounds.ping_timeout)
read_from(
    WEBSOCKET + "no_drain",
    "9s",
    (9.0, 9.0),
    lambda service: (service.audience.bounds.no_drain, service.arrivals.patience.answer),
)
read_from(WEBSOCKET + "close_timeout", "1s", 1.0, lambda service: service.audience.bounds.close_timeout)
read_from(
    WEBSOCKET + "sweep_interval",
    "2s",
    (2.0, 2.0),
    lambda service: (service.awake.interval, service.audience.bounds.sweep_interval),
)
read_from(
    WEBSOCKET + "handshake_timeout",
    "90s",
    (90.0, 90.0),
    lambda service: (service.arrivals.patience.request, service.arrivals.patience.idle),
)
read_from(WEBSOCKET + "backlog", "2MiB", 2 << 20, lambda service: service.audience.backlog.limit)
read_from(
    WEBSOCKET + "reconnect_spread",
    "4s",
    4.0,
    lambda service: service.settings.server.websocket.reconnect_spread,
)
read_from("server.query.samples", 1234, 1234, lambda service: service.feeds.limits.samples)
read_from("server.query.timeout", "20ms", 0.02, lambda service: service.feeds.limits.seconds)
read_from("reload_on_change", True, True, lambda service: service.reload.settings.reload_on_change)


async def status(run: Run, path: str, **headers: str) -> int:
    code: int = (await run.answer(path, **headers)).code
    return code


@seen(WEBSOCKET + "ping_interval", "12s")
async def _(run: Run) -> None:
    assert run.service.audience.bounds.ping_interval == 12
    client = await Client.come(run)
    assert client.welcome["ping"]["interval"] == 12_000
    await client.go()


@seen(WEBSOCKET + "max_clients", 1)
async def _(run: Run) -> None:
    """Who watches the whole test is the one."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert await status(run, "live", **upgrade, **key) == 503


CHECKS[WEBSOCKET + "per_address"] = 1, CHECKS[WEBSOCKET + "max_clients"][1]


async def refused_twice(run: Run) -> None:
    """A second query is one too many, for who came before and after."""
    client = await Client.come(run)
    assert (await client.ask(queries=["up"]))["type"] == "subscribed"
    assert (await client.ask(queries=["node_load1"]))["code"] == "too_many"
    await client.go()


CHECKS[WEBSOCKET + "subscriptions"] = 1, refused_twice
CHECKS[WEBSOCKET + "queries"] = 1, refused_twice


def told(name: str, value: Any, wanted: int, **session: Callable[[Any], object]) -> None:
    async def check(run: Run) -> None:
        client = await Client.come(run)
        assert client.welcome["limits"][name] == wanted
        for held in run.service.audience.connections:
            assert all(look(held) in (wanted, wanted / 1000) for look in session.values())
        await client.go()

    CHECKS[WEBSOCKET + ("credit_ticks" if name == "credit" else name)] = value, check


told("credit", 3, 3, credit=lambda session: session.credit.messages)
told("credit_bytes", "48KiB", 48 << 10, credit=lambda session: session.credit.size)
told("ack_bytes", "2KiB", 2 << 10)
told("ack_after", "1s", 1000)
told("park_after", "20s", 20_000, limits=lambda session: session.limits.park_after)


@seen("server.query.series", 1)
async def _(run: Run) -> None:
    assert await status(run, "api/v1/query?query=node_cpu_seconds_total") == 422


@seen("server.query.points", 2)
async def _(run: Run) -> None:
    assert await status(run, "api/v1/query_range?query=up&start=0&end=10&step=1") == 400


@seen("server.allowed_hosts", ["monitor.example"])
async def _(run: Run) -> None:
    assert await status(run, "healthz", Host="monitor.example") == 200
    assert await status(run, "healthz", Host="other.example") == 421


@seen("server.allowed_origins", ["https://monitor.example"])
async def _(run: Run) -> None:
    assert await status(run, "healthz", Origin="https://monitor.example") == 200
    assert await status(run, "healthz", Origin="https://other.example") == 403


@seen("server.trusted_proxies", ["127.0.0.1"])
async def _(run: Run) -> None:
    # An origin without TLS is not the service's own where a proxy that is believed says that it speaks TLS.
    own = {"Origin": run.url.rstrip("/")}
    assert await status(run, "healthz", **own) == 200
    assert await status(run, "healthz", **own, **{"X-Forwarded-Proto": "https"}) == 403


@seen("access.anonymous", "none")
async def _(run: Run) -> None:
    assert await status(run, "api/boards") == 401


HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + 43 * "A"
read_from(
    "access.users",
    [{"name": "ann", "password": HASH, "role": "admin"}],
    ["ann"],
    lambda service: [user.name for user in service.access.users.values()],
)


@seen("boards", [BOARD])
async def _(run: Run) -> None:
    assert [board["name"] for board in (await run.get("api/boards"))["boards"]] == ["load"]
    client = await Client.come(run)
    assert (await client.ask(board="load"))["type"] == "subscribed"
    assert (await client.ask(board="overview"))["code"] == "unknown_board"
    await client.go()


@seen("log.level", "error")
async def _(run: Run) -> None:
    assert logging.root.level == logging.ERROR


@seen("log.format", "json")
async def _(run: Run) -> None:
    formatter = logging.root.handlers[0].formatter
    assert formatter is not None
    assert formatter.format(logging.makeLogRecord({"msg": "said", "levelname": "INFO"})).startswith("{")


def collectors(run: Run) -> dict[str, Any]:
    assert run.service.rooms is not None
    return run.service.rooms.collector.collectors


OPTIONS: Mapping[str, Any] = {
    "sockets": ["/nonexistent/engine.sock"],
    "targets": ["tcp://127.0.0.1:9"],
    "directory": "/elsewhere",
    "include": ["kernel.pid_max"],
    "include_info": ["kernel.ostype"],
}


def another(setting: fields.Setting) -> Any:
    """Another value than the default; of text that is not named above, another pattern."""
    default = setting.field.default
    if isinstance(default, bool):
        return not default
    if setting.field.annotation is int:
        return default + 1
    if setting.field.annotation is float:
        return f"{round(2000 * default)}ms"
    return OPTIONS.get(str(setting.key[-1]), "x+")


def measured(key: Key) -> Check:
    """The collector of a setting is another one, there or gone, and all others are as they were."""
    *_, name, option = map(str, key)

    async def check(run: Run) -> None:
        held = collectors(run)
        if option == "enabled":
            assert (name in held) is (name not in BEFORE)
        else:
            assert held[name] is not BEFORE.get(name)
        assert all(held[other] is BEFORE[other] for other in held if other != name)

    return check


BEFORE: dict[str, Any] = {}
for each in fields.settings(Settings):
    if each.key[:2] == ("collect", "collectors"):
        CHECKS[dotted(each.key)] = (
            another(each),
            measured(each.key),
        )


def written(key: str, value: object) -> dict[str, object]:
    """A change as the environment has it; an option of a collector counts where that one is on."""
    switch = {f"{key.rpartition('.')[0]}.enabled": True} if key.startswith("collect.collectors.") else {}
    return {name.replace(".", "__"): each for name, each in {**switch, key: value}.items()}


@pytest.fixture
def own_log() -> Iterator[None]:
    """The log's set-up, put back afterwards."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_every_setting_that_a_reload_takes_is_looked_at_here() -> None:
    said = {dotted(each.key) for each in fields.settings(Settings) if each.takes is Takes.RELOAD}
    assert said == set(CHECKS)


@pytest.mark.gen_test(timeout=120)
async def test_every_setting_that_a_reload_takes_is_taken(tmp_path: Path, own_log: None) -> None:
    async with running(tmp_path) as run:
        client = await Client.come(run)
        await client.ask(queries=["up"])
        for key, (value, check) in CHECKS.items():
            BEFORE.clear()
            BEFORE.update(collectors(run))
            await run.take(**written(key, value))
            await check(run)
            await run.take()
        await client.heard("tick")
        await client.go()
        assert run.service.telemetry.gone.total() <= run.service.telemetry.sessions_opened
