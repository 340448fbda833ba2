"""A real Prometheus scrapes /metrics in both formats, and answers queries in the shapes of our answers."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.routing import URLSpec
from tornado.testing import bind_unused_port
from tornado.web import Application

from monitor.formats.exposition import Exposition
from monitor.model import Block
from monitor.server.metrics import Metrics
from monitor.telemetry import Telemetry

from .conftest import LAYOUT, Ask

CONFIG = """
global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}
scrape_configs:
- {{job_name: openmetrics, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
- {{job_name: text, metrics_path: /text, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""


class Scrapes:
    """Counts them; a third one means that the first was read whole and judged."""

    def __init__(self) -> None:
        self.seen, self.next = 0, asyncio.Event()

    def latest(self) -> tuple[Block, ...]:
        self.seen += 1
        self.next.set()
        return (Block(LAYOUT, (0.5, 1000.0 + self.seen, 5000.0)),)

    async def more(self, count: int) -> None:
        until = self.seen + count
        while self.seen < until:
            self.next.clear()
            await self.next.wait()


class TextOnly(Metrics):
    """To a scraper that knows no OpenMetrics, which this Prometheus cannot be told to be."""

    def prepare(self) -> None:
        super().prepare()
        assert "application/openmetrics-text" in self.request.headers["Accept"]
        self.request.headers["Accept"] = "text/plain;version=0.0.4"


@pytest.fixture
def scrapes() -> Scrapes:
    return Scrapes()


@pytest.fixture
def options(options: dict[str, Any], scrapes: Scrapes, telemetry: Telemetry) -> dict[str, Any]:
    telemetry.gone['odd "name"\\\n'] += 1
    telemetry.tick_seconds.observe(0.002)
    return {**options, "latest": scrapes.latest}


@pytest.fixture
def app(app: Application, scrapes: Scrapes, telemetry: Telemetry) -> Application:
    kept = {"latest": scrapes.latest, "telemetry": telemetry, "exposition": Exposition()}
    app.wildcard_router.rules.insert(0, URLSpec(r"/text", TextOnly, kept))
    return app


class Prometheus:
    """A running one, asked through its API."""

    def __init__(self, port: int, client: AsyncHTTPClient) -> None:
        self.url, self.client = f"http://127.0.0.1:{port}", client

    async def ask(self, path: str) -> tuple[int, Any]:
        answer = await self.client.fetch(self.url + path, raise_error=False)
        return answer.code, json.loads(answer.body) if answer.code < 500 else None

    async def data(self, path: str) -> Any:
        code, answer = await self.ask(path)
        assert (code, answer["status"]) == (200, "success"), answer
        return answer["data"]


@asynccontextmanager
async def prometheus(folder: Path, scraped: int, client: AsyncHTTPClient) -> AsyncIterator[Prometheus]:
    """One that scrapes our port and keeps everything below the folder."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("prometheus is missing: apt-get install prometheus")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(port=scraped))
    socket, port = bind_unused_port()
    socket.close()
    flags = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn")  # fmt: skip
    with (folder / "prometheus.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(program, *flags, stdout=output, stderr=output)
    try:
        yield Prometheus(port, client)
    finally:
        process.kill()
        await process.wait()


async def targets(running: Prometheus, scrapes: Scrapes) -> dict[str, Any]:
    """Prometheus's opinion of each job, as soon as it has one of both."""
    while True:
        await scrapes.more(3)
        code, answer = await running.ask("/api/v1/targets")
        active = answer["data"]["activeTargets"] if code == 200 else []
        if {target["health"] for target in active} - {"unknown"} and len(active) == 2:
            return {target["labels"]["job"]: target for target in active}


def without_job(labels: dict[str, str]) -> set[tuple[str, str]]:
    return {(name, value) for name, value in labels.items() if name != "job"}


@pytest.mark.gen_test
async def test_prometheus_reads_both_formats_and_finds_the_same(
    http_client: AsyncHTTPClient, http_port: int, tmp_path: Path, scrapes: Scrapes
) -> None:
    async with prometheus(tmp_path, http_port, http_client) as running:
        judged = await targets(running, scrapes)
        assert {job: (one["health"], one["lastError"]) for job, one in judged.items()} == {
            "openmetrics": ("up", ""), "text": ("up", "")
        }  # fmt: skip
        await scrapes.more(4)
        found = {job: await running.data(f'/api/v1/series?match[]={{job="{job}"}}') for job in judged}
        names = {job: sorted(map(sorted, map(without_job, held))) for job, held in found.items()}
        assert names["openmetrics"] == names["text"]
        assert ("reason", 'odd "name"\\\n') in {pair for one in names["text"] for pair in one}
        told = await running.data("/api/v1/metadata?metric=monitor_tick_seconds")
        assert {one["type"] for one in told["monitor_tick_seconds"]} == {"histogram"}
        assert (tmp_path / "prometheus.log").read_text() == ""


def shape(value: Any) -> Any:
    """What a reader of JSON relies on: keys and types."""
    match value:
        case dict():
            return {key: shape(held) for key, held in value.items()}
        case list():
            return [shape(held) for held in value[:1]]
        case float():
            return int
    return type(value)


SAME_SHAPE = (
    "/api/v1/query?query=1",
    "/api/v1/query?query=time()",
    '/api/v1/query?query="text"',
    "/api/v1/query?query=nothing",
    "/api/v1/query?query=sum(node_load1)",
    "/api/v1/query?query=sum(node_load1)&time={time}",
    "/api/v1/query?query=sum",
    "/api/v1/query",
    "/api/v1/query?query=1&time=never",
    "/api/v1/query_range?query=sum(node_load1)&start={time}&end={time}&step=1s",
    "/api/v1/query_range?query=1&start={time}&end={time}&step=1s",
    "/api/v1/query_range?query=nothing&start={time}&end={time}&step=1s",
    "/api/v1/query_range?query=1&start={time}&end={time}&step=0",
    "/api/v1/query_range?query=1&start=0&end={time}&step=1",
    "/api/v1/query_range?query=1&start={time}&end=0&step=1",
    '/api/v1/query_range?query="text"&start={time}&end={time}&step=1',
    "/api/v1/query_range?query=node_load1[1m]&start={time}&end={time}&step=1",
    "/api/v1/series",
    "/api/v1/series?match[]=nothing",
    "/api/v1/series?match[]=sum(node_load1)",
    "/api/v1/labels",
    "/api/v1/labels?match[]=nothing",
    "/api/v1/label/job/values",
    "/api/v1/label/nothing/values",
    "/api/v1/label/a-b/values",
    "/api/v1/metadata?metric=node_load1",
    "/api/v1/metadata?metric=nothing",
)


@pytest.mark.gen_test
async def test_our_answers_have_the_shape_of_its_own(
    ask: Ask,
    http_client: AsyncHTTPClient,
    http_port: int,
    tmp_path: Path,
    scrapes: Scrapes,
    options: dict[str, Any],
) -> None:
    async with prometheus(tmp_path, http_port, http_client) as running:
        await targets(running, scrapes)
        await scrapes.more(4)
        now = (await running.data("/api/v1/query?query=time()"))["result"][0]
        for template in SAME_SHAPE:
            theirs, expected = await running.ask(template.format(time=now))
            ours = await ask(template.format(time=options["clock"]()))
            assert (ours.code, shape(json.loads(ours.body))) == (theirs, shape(expected)), template
            assert json.loads(ours.body).get("errorType") == expected.get("errorType"), template
