"""Stores for tests, written as Prometheus writes them: `name{a="b"} 1 2 _ 4` and `0+10x5`."""

from __future__ import annotations

import re

from monitor.model import Block, Floats, Kind, Labels, Layout, Metric, Scrape
from monitor.promql import Limits, evaluate, parse
from monitor.storage.head import Head

Values = list[float | None]
LINE = re.compile(r"^\s*(\w+(?:\{[^}]*\})?)[ \t]+(.+)$", re.MULTILINE)
PAIR = re.compile(r'(\w+)="([^"]*)"')
RUN = re.compile(r"(-?[\d.]+)([+-][\d.]+)x(\d+)")


def values(text: str) -> Values:
    """One value per scrape: a number, `_` for absence, or `start+step x times` for a run."""
    found: Values = []
    for word in text.split():
        run = RUN.fullmatch(word)
        if run:
            found += [float(run[1]) + float(run[2]) * number for number in range(int(run[3]) + 1)]
        else:
            found.append(None if word == "_" else float(word))
    return found


def labels(text: str) -> Labels:
    """The labels of `name{a="b"}`."""
    name = text.partition("{")[0]
    return tuple(sorted([*([("__name__", name)] if name else []), *PAIR.findall(text)]))


def store(text: str, step: int = 300_000, target: Labels = (), head: Head | None = None) -> Head:
    """A head with one series for each line, scraped at 0, step, 2 step ... milliseconds."""
    found = Head(window=10**12, rows=10**6) if head is None else head
    rows = [(labels(line[1]), values(line[2])) for line in LINE.finditer(text)]
    for number in range(max(len(row) for _, row in rows)):
        held = [(one, row[number]) for one, row in rows if number < len(row) and row[number] is not None]
        entries = [Metric(dict(one)["__name__"], Kind.UNKNOWN, "").at(**rest(one)) for one, _ in held]
        present = [value for _, value in held if value is not None]
        found.append(Scrape(number * step, target, (Block(Layout(entries), present),)))
    return found


def rest(one: Labels) -> dict[str, str]:
    return {name: value for name, value in one if name != "__name__"}


def at(head: Head, text: str, minutes: float, limits: Limits | None = None) -> dict[Labels, float]:
    """The values of a query at one instant."""
    time = round(minutes * 60_000)
    found = evaluate(parse(text), head, time, time, 1000, limits or Limits())
    return dict(zip(found.series, found.values[:, 0].tolist(), strict=True))


def over(head: Head, text: str, start: int, end: int, step: int) -> dict[Labels, Floats]:
    """The values of a query over a grid in milliseconds."""
    found = evaluate(parse(text), head, start, end, step)
    return dict(zip(found.series, found.values, strict=True))
