"""Debian's Prometheus and this engine give the same values for the same samples.

Prometheus 2 counts a sample on the left edge of a window, Prometheus 3 and this engine do not: no query here
looks at such an instant.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from http.client import HTTPException
from itertools import product
from pathlib import Path
from random import Random
from time import monotonic
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from monitor.model import Block, Kind, Labels, Layout, Metric, Scrape, Series
from monitor.promql import QueryError, evaluate, parse
from monitor.storage.head import Head
from monitor.storage.register import stored_labels
from tests.service import held_port
from tests.surroundings import PATIENCE

START = 1_700_000_000_000
ROWS = 120
SERIES = [Series(name, (("x", x), ("y", y))) for name in ("total", "level") for x in "12" for y in "pq"]
TARGETS: list[tuple[int, Labels]] = [
    (1000, (("instance", "one"), ("job", "node"))),
    (1500, (("instance", "two"), ("job", "node"))),
]
INSTANTS = [START + milliseconds for milliseconds in (20_333, 61_777, 130_001, 400_000)]

WINDOWS = [
    f"{function}({selector})"
    for function, selector in product(
        [
            *("rate", "irate", "increase", "delta", "idelta", "last_over_time", "present_over_time"),
            *(f"{name}_over_time" for name in ("avg", "min", "max", "sum", "count")),
        ],
        ["total[5s]", 'level{x="1"}[10s]', 'total{y!~"p"}[1m] offset 2s', "total[2500ms]"],
    )
]
AGGREGATIONS = [
    f"{operator} {groups} ({vector})"
    for operator, groups, vector in product(
        ["sum", "avg", "min", "max", "count", "group"],
        ["", "by (x)", "without (y, instance)", "by (__name__)"],
        ["total", "rate(total[5s])", '{job="node"}'],
    )
]
MATCHES = [
    f"total {operator} {matching} {other}"
    for operator, matching, other in product(
        ["+", "/", ">", "<= bool", "%"],
        ["", "ignoring (y)", "on (x, y, instance)", "on (x, y)", "on (instance) group_left ()"],
        ["level", 'level{y="p"}', 'sum by (instance) (level{x="1"})', 'topk(2, level{y="q"})'],
    )
]
OTHERS = [
    *(
        f"total {sets} level{{x='1'}}"
        for sets in ("and", "or", "unless", "and on (y)", "or on (x)", "unless on (x)")
    ),
    *(
        "level * on (x, instance) group_left (y) sum by (x, instance) (total)",
        "total offset 30s",
        "total @ 1700000050",
    ),
    *("bottomk by (x) (1, rate(total[10s]))", "topk(scalar(level{x='1', y='p', instance='one'}) % 5, total)"),
    *(
        "round(total / 7, 0.1)",
        "ceil(level / 3) - floor(level / 3)",
        "abs(-level)",
        "sqrt(level)",
        "sgn(level)",
    ),
    *("clamp(level, -1, 5)", "clamp_min(level, 2)", "clamp_max(level, time() % 7)", "clamp(level, 3, 2)"),
    *(
        "-2 ^ 3 * total",
        "2 - level",
        "3 < level",
        "level != bool 4",
        "vector(time()) + 1",
        "time() % 60",
        "1 / 0",
    ),
    *(
        "scalar(level)",
        "scalar(sum(level))",
        "exp(level / 9)",
        "ln(total)",
        "log2(total)",
        "log10(total)",
        "none",
    ),
    *(
        "label_replace(total, 'a', '$1', 'x', '(.)')",
        "rate(total)",
        "sum(",
        "{x='1'}",
        "rate({job='node'}[5s])",
    ),
]
QUERIES = [*WINDOWS, *AGGREGATIONS, *MATCHES, *OTHERS]
NOT_OURS = {"label_replace(total, 'a', '$1', 'x', '(.)')"}
Answer = dict[Labels, float] | None
"""Values by labels; None for an error."""


class Prometheus:
    """A Prometheus at an address."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready") as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    def query(self, text: str, at: int) -> Answer:
        try:
            with urlopen(
                f"{self.url}/api/v1/query?{urlencode({'query': text, 'time': at / 1000})}"
            ) as answer:
                data = json.load(answer)["data"]
        except HTTPError as error:
            error.close()
            return None
        if data["resultType"] == "scalar":
            return {(): float(data["result"][1])}
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in data["result"]}


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install prometheus"
    return found


def histories() -> Iterator[tuple[Labels, Series, list[tuple[int, float]]]]:
    """Counters that are reset now and then, and gauges, each scraped at its target's pace."""
    random = Random(7)
    for step, target in TARGETS:
        for series in SERIES:
            value, rows = 5000.0, []
            for number in range(ROWS):
                reset = random.random() < 0.05
                value = random.uniform(0, 9) if reset else value + random.choice([0, random.uniform(0, 9)])
                gauge = random.choice([math.nan, math.inf, -2.5]) if reset else random.uniform(-3, 12)
                rows.append((START + number * step, value if series.name == "total" else gauge))
            yield target, series, rows


@pytest.fixture(scope="module")
def head() -> Head:
    found = Head(window=10**12)
    for _, target in TARGETS:
        held = [(series, rows) for owner, series, rows in histories() if owner == target]
        layout = Layout([(Metric(series.name, Kind.UNKNOWN, ""), series) for series, _ in held])
        for number in range(ROWS):
            values = [rows[number][1] for _, rows in held]
            found.append(Scrape(held[0][1][number][0], target, (Block(layout, values),)))
    return found


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    samples, data, settings = folder / "samples", folder / "data", folder / "prometheus.yml"
    write_samples(samples)
    settings.write_text("")
    subprocess.run(
        [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", samples, data],
        check=True,
        capture_output=True,
    )
    place = held_port()
    port = place.getsockname()[1]
    options = [
        f"--config.file={settings}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program("prometheus"), *options, f"--web.listen-address=127.0.0.1:{port}"], stderr=log
        )
    try:
        found, begun = Prometheus(port), monotonic()
        while not found.is_ready():
            assert monotonic() - begun < PATIENCE, (folder / "log").read_text()
        yield found
    finally:
        process.kill()
        process.wait()
        place.close()


def write_samples(path: Path) -> None:
    with path.open("w") as file:
        for name in ("total", "level"):
            file.write(f"# TYPE {name} gauge\n")
            for target, series, rows in histories():
                if series.name == name:
                    pairs = [pair for pair in stored_labels(series, target) if pair[0] != "__name__"]
                    labels = ",".join(f'{label}="{value}"' for label, value in pairs)
                    file.writelines(f"{name}{{{labels}}} {value} {time / 1000}\n" for time, value in rows)
        file.write("# EOF\n")


def ours(head: Head, text: str, at: int) -> Answer:
    try:
        found = evaluate(parse(text), head, at, at, 1000)
    except QueryError:
        return None
    return dict(zip(found.series, found.values[:, 0].tolist(), strict=True))


def test_prometheus_and_the_engine_agree(head: Head, prometheus: Prometheus) -> None:
    compared = 0
    for text, at in product(QUERIES, INSTANTS):
        if text in NOT_OURS:
            assert ours(head, text, at) is None
            continue
        theirs, found = prometheus.query(text, at), ours(head, text, at)
        if theirs is None or found is None:
            assert theirs is found, (text, at, theirs, found)
        else:
            assert found == pytest.approx(theirs, nan_ok=True, rel=1e-9, abs=1e-9), (text, at)
        compared += bool(theirs)
    assert compared > len(QUERIES), "too few queries had a value to tell anything"
