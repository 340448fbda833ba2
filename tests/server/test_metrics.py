"""/metrics: this host and the service itself, in the format that the scraper likes best."""

import gzip
from collections.abc import Iterable
from typing import Any

import pytest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.model import Block
from monitor.telemetry import Telemetry

from .conftest import LAYOUT, Ask

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}


def read_openmetrics(text: str) -> Iterable[Family]:
    families: Iterable[Family] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return families


def values(families: Iterable[Family]) -> dict[str, float]:
    samples = [sample for family in families for sample in family.samples]
    return {sample.name + "".join(sorted(sample.labels.values())): sample.value for sample in samples}


@pytest.mark.gen_test
async def test_text_for_those_who_ask_for_nothing(ask: Ask, telemetry: Telemetry) -> None:
    telemetry.ticks = 42
    answer = await ask("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = values(read_text(answer.body.decode()))
    assert (found["node_load1"], found["node_cpu_seconds_total0idle"], found["monitor_ticks_total"]) == (
        0.5,
        5000,
        42,
    )


@pytest.mark.gen_test
async def test_openmetrics_for_those_who_ask_for_it(ask: Ask) -> None:
    answer = await ask("/metrics", headers=OPENMETRICS)
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert "Accept" in answer.headers["Vary"].split(", ")
    found = values(read_openmetrics(answer.body.decode()))
    assert (found["node_load1"], found["node_cpu_seconds_total0user"]) == (0.5, 1000)


@pytest.mark.gen_test
async def test_no_label_says_which_host_it_is(ask: Ask) -> None:
    """A scraper adds `instance` and `job` itself."""
    families = list(read_text((await ask("/metrics")).body.decode()))
    assert not {name for family in families for sample in family.samples for name in sample.labels} & {
        "instance",
        "job",
    }


@pytest.mark.gen_test
async def test_a_scrape_counts_those_before_it(ask: Ask) -> None:
    await ask("/metrics")
    found = values(read_text((await ask("/metrics")).body.decode()))
    assert found["monitor_http_requests_total2xxMetrics"] == 1


@pytest.mark.gen_test
async def test_it_is_packed_for_those_who_can_unpack(ask: Ask) -> None:
    answer = await ask("/metrics", headers={"Accept-Encoding": "gzip"}, decompress_response=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"node_load1 0.5\n" in gzip.decompress(answer.body)


class TestBeforeTheFirstScrape:
    @pytest.fixture
    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "latest": tuple}

    @pytest.mark.gen_test
    async def test_only_the_service_itself_is_told(self, ask: Ask) -> None:
        found = values(read_text((await ask("/metrics")).body.decode()))
        assert {name.partition("_")[0] for name in found} == {"monitor"}


class TestWhileValuesMove:
    @pytest.fixture
    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        loads = iter((1.5, 2.5))
        return {**options, "latest": lambda: (Block(LAYOUT, (next(loads), 0.0, 0.0)),)}

    @pytest.mark.gen_test
    async def test_each_scrape_has_the_newest(self, ask: Ask) -> None:
        loads = [values(read_text((await ask("/metrics")).body.decode()))["node_load1"] for _ in range(2)]
        assert loads == [1.5, 2.5]
