"""What every test stands on: a clean event loop, 127.0.0.1, WebSocket clients, and a quiet log.

pytest-tornado (0.8.1, its last release) brings `http_server`, `http_client` and the `gen_test` mark; a
test that uses them gives an `app` fixture.  Its `io_loop` and `base_url` are replaced here.
"""

import asyncio
import logging
import os
import re
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, websocket_connect

from monitor.server.descriptors import raise_limit
from tests.surroundings import PATIENCE, settle, slowness

ExpectLog = Callable[[str], None]
WsConnect = Callable[..., Awaitable[WebSocketClientConnection]]
LEAVING = 20.0
"""Seconds for tasks that are ending."""

# Small, and the same examples every time, so that a change turns a run red and chance does not; others are
# looked for by `--hypothesis-profile=search`.  Deadlines time the machine, and so does one health check.
settings.register_profile(
    "monitor",
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("monitor"), derandomize=False)
settings.load_profile("monitor")
# As the service does at its start: laws are tried on hundreds of houses, and a shell's limit may be 1,024.
raise_limit()
settle(os.environ)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """No test on an event loop gets less than PATIENCE, whatever its mark says: a limit is there for what
    hangs, and must not judge how fast or busy this machine is."""
    config.option.async_test_timeout = PATIENCE
    for item in items:
        mark = item.get_closest_marker("gen_test")
        if mark is not None and mark.kwargs.get("timeout", PATIENCE) < PATIENCE:
            item.add_marker(pytest.mark.gen_test(timeout=PATIENCE), append=False)


@pytest.fixture(autouse=True)
def expect_log(caplog: pytest.LogCaptureFixture) -> Iterator[ExpectLog]:
    """Fails a test that logs a record at WARNING or above, but for those it announces.

    `expect_log(pattern)` announces records whose message matches the regular expression somewhere; at
    least one must come, in the test or while its fixtures are torn down.  That this machine keeps a
    collector from running may be said in any test.
    """
    patterns: list[str] = []
    yield patterns.append
    records = [record for phase in ("setup", "call", "teardown") for record in caplog.get_records(phase)]
    messages = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for record in records
        if record.levelno >= logging.WARNING
    ]
    announced = [text for text in messages if any(re.search(pattern, text) for pattern in patterns)]
    surprises = [text for text in messages if text not in announced and not slowness(text)]
    assert not surprises, f"unexpected log output: {surprises}"
    missing = [pattern for pattern in patterns if not any(re.search(pattern, text) for text in messages)]
    assert not missing, f"expected in the log, and not there: {missing}"


@pytest.fixture(autouse=True)
def _this_machine_has_nothing_besides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boards that a configuration finds do not hang on what the machine of the tests has."""
    monkeypatch.setattr("monitor.config.present.HERE", Path("/nowhere"))


@pytest.fixture(scope="session")
def user_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where commands look for the state of this user's service, of which the tests know nothing."""
    folder = tmp_path_factory.mktemp("user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _none_writes_state_of_the_user(user_state: Path) -> Iterator[None]:
    """Fails a test that leaves state where later ones, and the user's own service, would find it."""
    yield
    left = [path.name for path in user_state.iterdir()]
    for name in left:
        shutil.rmtree(user_state / name)
    assert not left, f"written to the user's state folder: {left}"


@pytest.fixture(scope="module", autouse=True)
def _stores_are_let_go_of() -> Iterator[None]:
    """Fails a module that leaves a store open: its writer's thread would keep pytest from ending."""
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("history")]
    assert not left, f"a store is still open: {left}"


@pytest.fixture
def io_loop(expect_log: ExpectLog) -> Iterator[IOLoop]:
    """pytest-tornado's `io_loop`, less the calls that Tornado deprecates; fails a test that leaks tasks."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)  # The plugin makes futures before the loop runs.
        yield IOLoop(asyncio_loop=loop, make_current=False)
        # What reads from a connection ends when the kernel has told its socket that the other end is closed,
        # a moment later on a busy machine, and the loop has had its turn.
        if left := asyncio.all_tasks(loop):
            _, left = loop.run_until_complete(asyncio.wait(left, timeout=LEAVING))
        asyncio.set_event_loop(None)
    assert not left, f"tasks left running: {left}"


@pytest.fixture
def base_url(http_port: int) -> str:
    """The plugin's says `localhost`, which is ::1 or nothing at all on some machines."""
    return f"http://127.0.0.1:{http_port}"


@pytest.fixture
def ws_connect(io_loop: IOLoop, http_server: HTTPServer, base_url: str) -> Iterator[WsConnect]:
    """`await ws_connect(path, **options)`: options of tornado's websocket_connect; closed after the test."""
    opened: list[WebSocketClientConnection] = []

    async def connect(path: str, **options: Any) -> WebSocketClientConnection:
        connection = await websocket_connect(base_url.replace("http", "ws", 1) + path, **options)
        opened.append(connection)
        return connection

    async def close_all() -> None:
        for connection in opened:
            connection.close()
            while await connection.read_message() is not None:
                pass

    yield connect
    io_loop.run_sync(close_all, timeout=PATIENCE)
