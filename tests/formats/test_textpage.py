"""A page in the text format, read: what Prometheus's own parser finds, or an error with its line."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from monitor.formats.exposition import Exposition, Flavour
from monitor.formats.textpage import decode
from monitor.model import Block, Kind, Layout, Metric

PAGE = """\
# HELP backup_seconds Time of a \\\\ backup\\nand its check.
# TYPE backup_seconds gauge
backup_seconds{job="home",path="C:\\\\DIR\\\\",say="a \\"b\\"\\n"} 1.5e3
backup_seconds{ job = "etc" , } 2
# TYPE jobs_total counter
jobs_total 42 1767229200250
# only a comment
untyped{empty=""} NaN
up -Inf
# TYPE rpc_seconds histogram
rpc_seconds_bucket{le="0.1"} 3
rpc_seconds_bucket{le="+Inf"} 5
rpc_seconds_sum 1.25
rpc_seconds_count 5
# TYPE gc_seconds summary
gc_seconds{quantile="0.5"} .25
gc_seconds_sum 12.5
gc_seconds_count 100
"""


def test_a_page_has_the_samples_that_prometheus_finds() -> None:
    theirs = {
        (sample.name, tuple(sorted((k, v) for k, v in sample.labels.items() if v))): sample.value
        for family in text_string_to_metric_families(PAGE)
        for sample in family.samples
    }
    ours = {tuple(sample.series): sample.value for sample in decode(PAGE)}
    assert ours == pytest.approx(theirs, nan_ok=True)


def test_a_sample_knows_its_metric_and_its_time() -> None:
    found = {sample.series.name: sample for sample in decode(PAGE)}
    assert found["jobs_total"].metric == Metric("jobs_total", Kind.COUNTER, "")
    assert found["jobs_total"].timestamp == 1767229200250
    assert found["backup_seconds"].metric.help == "Time of a \\ backup\nand its check."
    assert found["rpc_seconds_bucket"].metric == Metric("rpc_seconds", Kind.HISTOGRAM, "")
    assert found["gc_seconds_sum"].metric == Metric("gc_seconds", Kind.UNKNOWN, "")
    assert found["untyped"].metric.kind is Kind.UNKNOWN
    assert found["up"].timestamp is None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("a 1\nb 2", "line 2: the end of the line expected, cut off after 'b 2'"),
        ("a one\n", "line 1: a name, labels and a number expected, found 'a one'"),
        ("a 1_000\n", "a number expected"),
        ("a{b=c} 1\n", 'a new label as name="value" expected'),
        ('a{b="c",b="d"} 1\n', "a new label"),
        ('a{__name__="c"} 1\n', "a new label"),
        ('a{b="c" 1\n', "a name, labels and a number"),
        ('\na{b="c"} 1\na{b="c"} 2\n', "line 3: a with other labels expected, these were there before"),
        ("# TYPE a speed\n", "a type of counter, gauge, histogram, summary, untyped expected for a"),
        ("a 1\n# TYPE a gauge\n", "line 2: the type of a expected once and before its samples"),
    ],
)
def test_an_error_names_the_line_and_what_was_expected(page: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode(page)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=20)


@given(st.dictionaries(TEXT, st.floats(), max_size=8))
def test_what_is_written_reads_back_as_it_was(values: dict[str, float]) -> None:
    metric = Metric("some_bytes", Kind.GAUGE, "Some \\ text.")
    layout = Layout(metric.at(file=text) for text in values)
    page = Exposition().encode([Block(layout, list(values.values()))], Flavour.TEXT).decode()
    found = {dict(sample.series.labels)["file"]: sample.value for sample in decode(page)}
    assert found == pytest.approx(values, nan_ok=True, rel=0, abs=0)
    assert {sample.metric for sample in decode(page)} <= {Metric("some_bytes", Kind.GAUGE, metric.help)}


@given(st.integers(0, len(PAGE) - 1))
def test_half_a_page_is_no_page(end: int) -> None:
    part = PAGE[:end]
    if part and not part.endswith("\n"):
        with pytest.raises(ValueError, match="cut off"):
            decode(part)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert len(decode(text)) <= text.count("\n")
