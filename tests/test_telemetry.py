"""The service's own metrics: plain attributes in, samples out."""

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Kind
from monitor.telemetry import HISTOGRAMS, METRICS, NUMBERS, TALLIES, WORK, Histogram, Telemetry


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    held = Telemetry("1.2.3")
    yield held
    held.close()


def samples(telemetry: Telemetry) -> dict[str, float]:
    """Values by series, written as `name{label="value"}`."""
    found = {}
    for layout, values in telemetry.blocks():
        for series, value in zip(layout.series, values, strict=True):
            labels = ",".join(f'{name}="{text}"' for name, text in series.labels)
            found[f"{series.name}{{{labels}}}" if labels else series.name] = value
    return found


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_an_attribute_that_starts_at_nothing(telemetry: Telemetry, name: str) -> None:
    assert getattr(telemetry, name) == 0
    setattr(telemetry, name, 7)
    assert samples(telemetry)[NUMBERS[name].name] == 7


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_every_histogram_counts_what_it_observes(telemetry: Telemetry, name: str) -> None:
    getattr(telemetry, name).observe(0.3)
    found, metric = samples(telemetry), HISTOGRAMS[name].name
    assert found[metric + '_bucket{le="0.25"}'] == 0
    assert found[metric + '_bucket{le="0.5"}'] == found[metric + '_bucket{le="+Inf"}'] == 1
    assert (found[metric + "_sum"], found[metric + "_count"]) == (0.3, 1)


def test_tallies_have_a_sample_for_each_label_set(telemetry: Telemetry) -> None:
    telemetry.gone["no-pong"] += 2
    telemetry.refused["origin"] += 1
    telemetry.http_requests["Query", "2xx"] += 3
    found = samples(telemetry)
    assert found['monitor_sessions_gone_total{reason="no-pong"}'] == 2
    assert found['monitor_upgrades_refused_total{reason="origin"}'] == 1
    assert found['monitor_http_requests_total{code="2xx",handler="Query"}'] == 3


def test_layouts_are_remade_only_when_a_label_set_appears(telemetry: Telemetry) -> None:
    def layouts() -> list[object]:
        return [block.layout for block in telemetry.blocks()]

    telemetry.gone["closed"] += 1
    before = layouts()
    telemetry.gone["closed"] += 1
    telemetry.ticks += 1
    assert layouts() == before
    telemetry.gone["slow"] += 1
    assert [ours is theirs for ours, theirs in zip(layouts(), before, strict=True)].count(False) == 1


def test_blocks_given_earlier_keep_their_values(telemetry: Telemetry) -> None:
    telemetry.gone["closed"] += 1
    blocks = telemetry.blocks()
    telemetry.gone["closed"] += 1
    assert [list(block.values) for block in blocks if "gone" in str(block.layout.series)] == [[1]]


def test_the_process_tells_its_own_figures(telemetry: Telemetry) -> None:
    found = samples(telemetry)
    assert found["monitor_resident_memory_bytes"] > 1e6
    assert 0 < found["monitor_cpu_seconds_total"] <= time.process_time()
    assert time.time() - 3600 * 24 < found["monitor_start_time_seconds"] <= time.time()
    assert [value for name, value in found.items() if 'version="1.2.3"' in name] == [1]


def test_open_descriptors_are_counted(telemetry: Telemetry) -> None:
    before = samples(telemetry)["monitor_open_fds"]
    extra = os.open("/dev/null", os.O_RDONLY)
    assert samples(telemetry)["monitor_open_fds"] == before + 1
    os.close(extra)
    assert samples(telemetry)["monitor_open_fds"] == before


def test_names_follow_the_conventions() -> None:
    for metric in METRICS:
        assert metric.name.startswith("monitor_")
        assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
        assert metric.name.removesuffix("_total").endswith(metric.unit)
        assert metric.help.endswith(".")
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert {metric.name for metric, _ in TALLIES.values()} <= {metric.name for metric in METRICS}


@given(st.lists(st.floats(-1, 10, allow_nan=False)))
def test_buckets_count_every_value_up_to_their_bound(observed: list[float]) -> None:
    held = Histogram(WORK)
    for value in observed:
        held.observe(value)
    *buckets, infinite, total, count = held.values()
    assert buckets == [sum(value <= bound for value in observed) for bound in WORK]
    assert infinite == count == held.count == len(observed)
    assert total == pytest.approx(sum(observed))
