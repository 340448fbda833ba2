"""docs/metrics.md says what the collectors give: all of it, and nothing else."""

import os
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path

from monitor.collect import COLLECTORS
from monitor.model import Layout, Metric
from tests.collect.reference import page

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def declared(value: object) -> Iterator[Metric]:
    """The metrics in a constant of a module."""
    if isinstance(value, Metric):
        yield value
    elif isinstance(value, Layout):
        yield from value.metrics
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(declared, [*value.keys(), *value.values()]))
    elif isinstance(value, tuple | list):
        yield from chain.from_iterable(map(declared, value))


def test_the_page_of_metrics_is_that_of_the_declarations() -> None:
    text = page()
    if os.environ.get("MONITOR_GOLDEN") == "write":
        DOCUMENT.write_text(text)
    assert text == DOCUMENT.read_text()


def test_every_metric_that_is_declared_is_on_the_page() -> None:
    text = DOCUMENT.read_text()
    modules = [import_module(f"monitor.collect.{name}") for name in COLLECTORS]
    found = {metric for module in modules for value in vars(module).values() for metric in declared(value)}
    assert len(found) > 60
    assert not [metric.name for metric in found if f"| `{metric.name}` |" not in text]
