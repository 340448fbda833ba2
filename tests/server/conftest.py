"""A whole application over a small, known past: sixty seconds of one host."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application

from monitor.model import Block, Kind, Layout, Metric, Scrape
from monitor.promql import Limits
from monitor.server.guard import Guard
from monitor.server.listener import make_server
from monitor.server.live import LiveHandler
from monitor.server.routes import make_application
from monitor.server.wire import Sockets
from monitor.storage.head import Head
from monitor.stream.audience import Audience
from monitor.stream.cohort import Carrier
from monitor.telemetry import Telemetry
from tests.access.house import open_to_all
from tests.stream.fixtures import audience, clock, house
from tests.stream.house import House
from tests.surroundings import PATIENCE

__all__ = ["audience", "clock", "house"]

Ask = Callable[..., Awaitable[HTTPResponse]]
Streaming = Callable[..., Application]

NOW = 1_764_000_000_000
LOAD = Metric("node_load1", Kind.GAUGE, "1m load average.")
CPU = Metric("node_cpu_seconds_total", Kind.COUNTER, "Seconds the CPUs spent in each mode.", "seconds")
LAYOUT = Layout([LOAD.at(), CPU.at(cpu="0", mode="user"), CPU.at(cpu="0", mode="idle")])
TARGET = (("instance", "web-1"), ("job", "node"))


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    held = Telemetry("0.0.0")
    yield held
    held.close()


def filled_head() -> Head:
    """Sixty scrapes up to NOW: a load of 0.5, one CPU a quarter busy."""
    head = Head()
    for second in range(-59, 1):
        values = (0.5, 1000 + 0.25 * second, 5000 + 0.75 * second)
        head.append(Scrape(NOW + second * 1000, TARGET, (Block(LAYOUT, values),)))
    return head


@pytest.fixture
def head() -> Head:
    return filled_head()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page as the build leaves it."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>monitor</title>" + "<p>text</p>" * 200)
    (folder / "assets" / "index-Ab_-1234.js").write_text("console.log('monitor');" * 200)
    (folder / "login.html").write_text("<!doctype html><title>log in</title>")
    (folder / "icon.svg").write_text("<svg/>")
    return folder


@pytest.fixture
def options(head: Head, telemetry: Telemetry, page: Path) -> dict[str, Any]:
    """What `app` is made of; a test module may change it."""
    return {
        "storage": head,
        "telemetry": telemetry,
        "latest": lambda: (Block(LAYOUT, (0.5, 1000.0, 5000.0)),),
        "boards": [{"name": "overview", "title": "Overview", "headline": [], "panels": []}],
        "guard": Guard(frozenset({"localhost"}), frozenset({"https://monitor.example.org"})),
        "access": open_to_all(),
        "limits": Limits(),
        "page": page,
        "clock": lambda: NOW / 1000,
    }


@pytest.fixture
def app(options: dict[str, Any]) -> Application:
    return make_application(**options)


@pytest.fixture
def carrier() -> Carrier:
    """That of real sockets."""
    return Sockets()


@pytest.fixture
def streaming(house: House, audience: Audience) -> Streaming:
    """`streaming(**options)`: an application that streams what the house has; options of make_application."""

    def made(**options: Any) -> Application:
        usual: dict[str, Any] = {
            "storage": house.head,
            "telemetry": audience.telemetry,
            "latest": tuple,
            "boards": [],
            "guard": Guard(),
            "access": open_to_all(),
            "limits": Limits(),
            "live": [
                (r"/live", LiveHandler, {"audience": audience, "compression": True, "send_buffer": 16384})
            ],
        }
        return make_application(**usual | options)

    return made


@pytest.fixture
def http_server(io_loop: IOLoop, app: Application, _unused_port: tuple[Any, int]) -> Iterator[HTTPServer]:
    """pytest-tornado's, with the limits of ours."""
    server = make_server(app)
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=PATIENCE)


@pytest.fixture
def ask(http_client: AsyncHTTPClient, base_url: str) -> Ask:
    """`await ask(path, **options)`: options of tornado's HTTPRequest; any status is an answer."""

    async def fetch(path: str, **options: Any) -> HTTPResponse:
        return await http_client.fetch(base_url + path, raise_error=False, **options)

    return fetch
