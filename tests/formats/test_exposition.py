"""What we write, prometheus_client's own parsers read back."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.formats.exposition import Exposition, Flavour, negotiate, number
from monitor.model import Block, Kind, Layout, Metric
from monitor.telemetry import Histogram, Telemetry

CPU = Metric("node_cpu_seconds_total", Kind.COUNTER, "Seconds the CPUs spent in each mode.", "seconds")
LOAD = Metric("node_load1", Kind.GAUGE, "1m load average.")
FIELD = Metric("node_vmstat_pgfault", Kind.UNKNOWN, "/proc/vmstat field pgfault.")
TRIP = Metric("trip_seconds", Kind.HISTOGRAM, "Round trip.", "seconds")
READERS: dict[Flavour, Callable[[str], Iterable[Family]]] = {
    Flavour.TEXT: read_text,
    Flavour.OPENMETRICS: read_openmetrics,
}
both = pytest.mark.parametrize("flavour", Flavour)


def page(blocks: Iterable[Block], flavour: Flavour = Flavour.TEXT) -> str:
    return Exposition().encode(blocks, flavour).decode()


def one(metric: Metric, value: float, **labels: str) -> Block:
    return Block(Layout([metric.at(**labels)]), (value,))


def read_back(blocks: Iterable[Block], flavour: Flavour) -> list[tuple[str, dict[str, str], float]]:
    text = page(blocks, flavour)
    return [
        (sample.name, sample.labels, sample.value)
        for family in READERS[flavour](text)
        for sample in family.samples
    ]


def histogram(*observed: float, **labels: str) -> Block:
    held = Histogram((0.1, 1.0))
    for value in observed:
        held.observe(value)
    suffixed = [TRIP.part(series.name.removeprefix(TRIP.name), **dict(series.labels), **labels)
                for _, series in held.entries(TRIP)]  # fmt: skip
    return Block(Layout(suffixed), held.values())


def test_text_page() -> None:
    layout = Layout([CPU.at(cpu="0", mode="user"), CPU.at(cpu="0", mode="idle")])
    assert page([Block(layout, (1.25, 10.0)), one(FIELD, 7), one(LOAD, 0.5)]) == (
        "# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.\n"
        "# TYPE node_cpu_seconds_total counter\n"
        'node_cpu_seconds_total{cpu="0",mode="user"} 1.25\n'
        'node_cpu_seconds_total{cpu="0",mode="idle"} 10\n'
        "# HELP node_load1 1m load average.\n"
        "# TYPE node_load1 gauge\n"
        "node_load1 0.5\n"
        "# HELP node_vmstat_pgfault /proc/vmstat field pgfault.\n"
        "# TYPE node_vmstat_pgfault untyped\n"
        "node_vmstat_pgfault 7\n"
    )


def test_openmetrics_page() -> None:
    assert page([one(CPU, 1.25, cpu="0"), one(FIELD, 7)], Flavour.OPENMETRICS) == (
        "# HELP node_cpu_seconds Seconds the CPUs spent in each mode.\n"
        "# TYPE node_cpu_seconds counter\n"
        "# UNIT node_cpu_seconds seconds\n"
        'node_cpu_seconds_total{cpu="0"} 1.25\n'
        "# HELP node_vmstat_pgfault /proc/vmstat field pgfault.\n"
        "# TYPE node_vmstat_pgfault unknown\n"
        "node_vmstat_pgfault 7\n"
        "# EOF\n"
    )


def test_nothing_to_tell() -> None:
    assert page([]) == ""
    assert page([Block(Layout(()), ())], Flavour.OPENMETRICS) == "# EOF\n"


@both
def test_samples_of_one_metric_stand_together_whichever_block_they_come_from(flavour: Flavour) -> None:
    blocks = [one(CPU, 1, cpu="0"), one(LOAD, 2), one(CPU, 3, cpu="1")]
    assert [value for _, _, value in read_back(blocks, flavour)] == [1, 3, 2]
    assert page(blocks, flavour).count("# TYPE node_cpu") == 1


@both
def test_histograms_are_grouped_by_label_set(flavour: Flavour) -> None:
    near, far = histogram(0.05, 0.5, path="near"), histogram(3, path="far")
    rows = list(zip(near.layout.metrics, near.layout.series, near.values, strict=True))
    rows += zip(far.layout.metrics, far.layout.series, far.values, strict=True)
    mixed = rows[::-2] + rows[::2]
    block = Block(Layout((metric, series) for metric, series, _ in mixed), [value for *_, value in mixed])
    told = [(name.removeprefix("trip_seconds_"), labels["path"], labels.get("le"), value)
            for name, labels, value in read_back([block], flavour)]  # fmt: skip
    assert sorted(told, key=lambda row: row[1] != told[0][1]) == told
    assert [row for row in told if row[1] == "near"] == [
        ("bucket", "near", "0.1", 1), ("bucket", "near", "1.0", 2), ("bucket", "near", "+Inf", 2),
        ("sum", "near", None, 0.55), ("count", "near", None, 2),
    ]  # fmt: skip
    assert [row[3] for row in told if row[1] == "far"] == [0, 0, 1, 3, 1]


def test_a_counter_without_total_keeps_its_name() -> None:
    block = one(Metric("node_odd", Kind.COUNTER, ""), 3)
    assert page([block]) == "# TYPE node_odd counter\nnode_odd 3\n"
    assert page([block], Flavour.OPENMETRICS) == "# TYPE node_odd unknown\nnode_odd 3\n# EOF\n"
    assert read_back([block], Flavour.OPENMETRICS) == [("node_odd", {}, 3)]


@both
@given(value=st.text())
@example(value='\\"\n\r\t\x85\u2028')
@example(value="\udcff")
def test_any_label_value_survives(flavour: Flavour, value: str) -> None:
    """Surrogates (bytes of a file name that are not UTF-8) become U+FFFD; all else comes back as it was."""
    legible = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)
    assert read_back([one(LOAD, 1, path=value)], flavour) == [("node_load1", {"path": legible}, 1)]


@both
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example(text='a \\ b " c\nd')
def test_any_help_survives(flavour: Flavour, text: str) -> None:
    metric = Metric("node_load1", Kind.GAUGE, "x" + text + "x")
    (family,) = READERS[flavour](page([one(metric, 1)], flavour))
    assert family.documentation == "x" + text + "x"


@both
@given(value=st.floats())
def test_any_value_survives(flavour: Flavour, value: float) -> None:
    ((_, _, back),) = read_back([one(LOAD, value)], flavour)
    assert np.array_equal([back], [value], equal_nan=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0, "-0"), (12.0, "12"), (0.1, "0.1"), (1e22, "1e+22"), (np.float64(2.5), "2.5"),
     (True, "1"), (float("nan"), "NaN"), (float("inf"), "+Inf"), (float("-inf"), "-Inf")],
)  # fmt: skip
def test_numbers_are_as_short_as_they_can_be(value: float, text: str) -> None:
    assert number(value) == text


def test_arrays_are_values_too() -> None:
    layout = Layout([LOAD.at(), FIELD.at()])
    assert "node_load1 0.5\n" in page([Block(layout, np.array([0.5, 2.0]))])  # type: ignore[arg-type]


def test_text_is_rendered_once_per_layout() -> None:
    writer, stays, goes = Exposition(), one(LOAD, 1), one(FIELD, 2)
    first = writer.encode([stays, goes], Flavour.TEXT)
    held, plan = writer.lines[stays.layout], writer.plans[Flavour.TEXT]
    assert writer.encode([stays, goes], Flavour.TEXT) == first
    assert writer.plans[Flavour.TEXT] is plan
    assert writer.encode([stays, one(CPU, 3)], Flavour.TEXT) != first
    assert writer.lines[stays.layout] is held
    assert goes.layout not in writer.lines


@both
def test_a_page_written_twice_tells_the_new_values(flavour: Flavour) -> None:
    writer, layout = Exposition(), Layout([LOAD.at(), FIELD.at()])
    pages = [writer.encode([Block(layout, values)], flavour) for values in ((1, 2), (3, 4))]
    assert [b"node_load1 1\n" in pages[0], b"node_load1 3\n" in pages[1]] == [True, True]
    assert b"node_vmstat_pgfault 4\n" in pages[1]


@both
def test_the_services_own_metrics_are_legible(flavour: Flavour) -> None:
    telemetry = Telemetry("0.1.0")
    telemetry.gone['it "left"'] += 1
    telemetry.tick_seconds.observe(0.002)
    names = {name for name, _, _ in read_back(telemetry.blocks(), flavour)}
    telemetry.close()
    assert {"monitor_ticks_total", "monitor_tick_seconds_bucket", "monitor_sessions_gone_total"} <= names


PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "flavour"),
    [
        ("", Flavour.TEXT),
        ("*/*", Flavour.TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Flavour.TEXT),
        (PROMETHEUS_2, Flavour.OPENMETRICS),
        (PROMETHEUS_3, Flavour.OPENMETRICS),
        ("application/openmetrics-text", Flavour.OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"', Flavour.OPENMETRICS),
        ("application/openmetrics-text;q=0.2,text/plain", Flavour.TEXT),
        ("application/openmetrics-text;q=0.2,*/*;q=0.9", Flavour.TEXT),
        ("application/openmetrics-text;q=0.2,text/*;q=0.1,*/*", Flavour.OPENMETRICS),
        ("application/openmetrics-text;q=0,*/*;q=0.1", Flavour.TEXT),
        ("application/openmetrics-text;q=0", Flavour.TEXT),
        ("application/openmetrics-text;q=nan", Flavour.TEXT),
        ("application/openmetrics-text;version=2.0.0", Flavour.TEXT),
        ("application/openmetrics-text;q=0.5,image/png", Flavour.OPENMETRICS),
    ],
)
def test_negotiation(accept: str, flavour: Flavour) -> None:
    assert negotiate(accept) is flavour


@given(st.text('apliction/opemr-x;q=.01,* \t"') | st.text())
def test_any_accept_header_is_answered(accept: str) -> None:
    assert negotiate(accept) in Flavour
