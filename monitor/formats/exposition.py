"""Blocks written as a page to scrape: the Prometheus text format 0.0.4 and OpenMetrics 1.0.0.

Sources: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics specification, version 1.0.0.
Both formats carry the same sample names, so that a scraper's choice between them renames no series.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from monitor.model import Block, Kind, Labels, Layout, Metric, Series


class Flavour(StrEnum):
    """A format, written as its Content-Type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


RANGES = {
    Flavour.TEXT: (("text/plain", "0.0.4"), ("text/*", ""), ("*/*", "")),
    Flavour.OPENMETRICS: (("application/openmetrics-text", "1.0.0"),),
}
"""Media ranges that mean a flavour, the most specific first, with the version that a client may name.
A wildcard never means OpenMetrics, so that a browser is shown what it can display."""

QUALITY = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")


def negotiate(accept: str) -> Flavour:
    """The flavour that an Accept header (RFC 9110, 12.5.1) likes best; text where it takes neither."""
    wishes = dict(wish for part in reversed(accept.lower().split(",")) if (wish := media_range(part)))
    text, openmetrics = (quality(wishes, flavour) for flavour in Flavour)
    return Flavour.OPENMETRICS if openmetrics > 0 and openmetrics >= text else Flavour.TEXT


def media_range(part: str) -> tuple[tuple[str, str], float] | None:
    """(type, version) and quality of one element of an Accept header; None for what is not one."""
    name, *rest = (piece.strip() for piece in part.split(";"))
    parameters = dict(piece.partition("=")[::2] for piece in rest)
    weight = parameters.get("q", "1").strip()
    if "/" not in name or not QUALITY.fullmatch(weight):
        return None
    return (name, parameters.get("version", "").strip(' "')), float(weight)


def quality(wishes: dict[tuple[str, str], float], flavour: Flavour) -> float:
    """What the most specific range that means this flavour is worth; 0 where none does."""
    for name, version in RANGES[flavour]:
        for key in ((name, version), (name, "")):
            if key in wishes:
                return wishes[key]
    return 0.0


class Plan(NamedTuple):
    """A page without its values: text and value take turns, `order` says which value goes where."""

    layouts: tuple[Layout, ...]
    parts: list[str]
    order: list[int]


class Exposition:
    """Writes pages.  What is left of the values is rendered once per layout and put in order once per set of
    layouts, so that a scrape costs its numbers and one join."""

    def __init__(self) -> None:
        self.lines: dict[Layout, list[str]] = {}
        self.plans: dict[Flavour, Plan] = {}

    def encode(self, blocks: Iterable[Block], flavour: Flavour) -> bytes:
        """The page of these blocks; samples of one metric stand together, whichever blocks they come from."""
        held = tuple(blocks)
        plan = self.plan(tuple(block.layout for block in held), flavour)
        values = [number(value) for block in held for value in block.values]
        parts = plan.parts.copy()
        parts[1::2] = [values[index] for index in plan.order]
        return "".join(parts).encode()

    def plan(self, layouts: tuple[Layout, ...], flavour: Flavour) -> Plan:
        plan = self.plans.get(flavour)
        if plan is None or plan.layouts != layouts:
            self.lines = {layout: self.lines.get(layout) or rendered(layout) for layout in layouts}
            plan = self.plans[flavour] = self.planned(layouts, flavour)
        return plan

    def planned(self, layouts: tuple[Layout, ...], flavour: Flavour) -> Plan:
        lines = [line for layout in layouts for line in self.lines[layout]]
        parts, order, end = [], [], ""
        for metric, rows in families(layouts):
            above = header(metric, flavour)
            for row in rows:
                parts += [end + above + lines[row], ""]
                order.append(row)
                above, end = "", "\n"
        parts.append(end + ("# EOF\n" if flavour is Flavour.OPENMETRICS else ""))
        return Plan(layouts, parts, order)


def families(layouts: tuple[Layout, ...]) -> Iterator[tuple[Metric, list[int]]]:
    """Each metric, by name, with the rows of its samples (counted over all layouts)."""
    metrics = [metric for layout in layouts for metric in layout.metrics]
    series = [line for layout in layouts for line in layout.series]
    rows: dict[str, list[int]] = {}
    for row, metric in enumerate(metrics):
        rows.setdefault(metric.name, []).append(row)
    for _, held in sorted(rows.items()):
        metric = metrics[held[0]]
        yield metric, grouped(held, series) if metric.kind is Kind.HISTOGRAM else held


def grouped(rows: list[int], series: list[Series]) -> list[int]:
    """Rows of a histogram: for each label set its buckets by bound, then sum, then count."""
    first: dict[Labels, int] = {}

    def place(row: int) -> tuple[int, int, float]:
        name, labels = series[row]
        bound = float(dict(labels).get("le", "inf"))
        group = first.setdefault(tuple(label for label in labels if label[0] != "le"), row)
        return group, 2 * name.endswith("_count") + name.endswith("_sum"), bound

    return sorted(rows, key=place)


def header(metric: Metric, flavour: Flavour) -> str:
    """HELP, TYPE and, in OpenMetrics, UNIT."""
    name, kind, text = metric.name, str(metric.kind), metric.help.translate(PLAIN)
    if flavour is Flavour.TEXT:
        kind = "untyped" if metric.kind is Kind.UNKNOWN else kind
    else:
        text = metric.help.translate(QUOTED)
        if metric.kind is Kind.COUNTER:
            # A counter's samples must end in _total here: one that does not keeps its name, and has no type.
            kind = kind if name.endswith("_total") else "unknown"
            name = name.removesuffix("_total")
    lines = [f"# HELP {name} {text}\n"] if text else []
    lines.append(f"# TYPE {name} {kind}\n")
    if flavour is Flavour.OPENMETRICS and metric.unit and name.endswith("_" + metric.unit):
        lines.append(f"# UNIT {name} {metric.unit}\n")
    return "".join(lines)


# File names that are not UTF-8 come as surrogates, which no UTF-8 text may hold.
PLAIN = dict.fromkeys(range(0xD800, 0xE000), "\ufffd") | {ord("\\"): r"\\", ord("\n"): r"\n"}
QUOTED = PLAIN | {ord('"'): r"\""}


def rendered(layout: Layout) -> list[str]:
    """What stands left of each value of a layout."""
    return [f"{name}{label_set(labels)} " for name, labels in layout.series]


def label_set(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(QUOTED)}"' for name, value in labels) + "}"


SPECIAL = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


def number(value: float) -> str:
    """The shortest text that reads back as the same float."""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else SPECIAL.get(text, text)
