"""Values by key, made into blocks."""

from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Kind, Metric

TEMPERATURE = Metric("temperature_celsius", Kind.GAUGE, "Temperature.", "celsius")


def entry(zone: str) -> Entry:
    return TEMPERATURE.at(zone=zone)


def test_the_layout_is_the_same_one_while_the_same_keys_are_found_and_when_they_come_back() -> None:
    shape = Shape(entry)
    first = shape.block({"a": 1.0, "b": 2.0})
    again = shape.block({"a": 3.0, "b": 4.0})
    fewer = shape.block({"b": 5.0})
    back = shape.block({"a": 6.0, "b": 7.0})
    assert first.layout is again.layout is back.layout
    assert list(again.values) == [3.0, 4.0]
    assert [dict(series.labels) for series in fewer.layout.series] == [{"zone": "b"}]


def test_nothing_found_is_an_empty_block() -> None:
    assert len(Shape(entry).block({}).layout) == 0
