"""Values that Prometheus 3's documentation and its own test data state, and the edges of time."""

from __future__ import annotations

import math

import pytest

from monitor.promql import QueryError
from tests.promql.stores import at, labels, over, store

REQUESTS = "\n".join(
    f'requests{{job="{job}", instance="{instance}", group="{group}"}} 0+{10 * (number + 1)}x10'
    for number, (job, group, instance) in enumerate(
        (job, group, instance)
        for job in ("api", "app")
        for group in ("production", "canary")
        for instance in ("0", "1")
    )
)
COUNTERS = """
    foo_total 0+10x10
    bar_total 0+18x5 0+18x5
    dings_total 10+10x10
    bumms_total 1+10x10
    middle_total 0+27x4 0+27x5
    end_total 0+10x9 0 10
    steady_total 0+80x10
    falls_total 0 1 2 3 2 3 4
    level 200 150 100 50 0
    holes 1 _ 3 _ _ 6 7
    empty nan 1 nan
"""
NODES = """
    node_var{instance="abc", job="node"} 2
    node_role{instance="abc", job="node", role="prometheus"} 1
    node_cpu{instance="abc", job="node", mode="idle"} 3
    node_cpu{instance="abc", job="node", mode="user"} 1
    node_cpu{instance="def", job="node", mode="idle"} 8
    node_cpu{instance="def", job="node", mode="user"} 2
"""

INSTANTS = [
    (
        REQUESTS,
        50,
        "SUM BY (group) (requests{job='api'})",
        {'{group="canary"}': 700, '{group="production"}': 300},
    ),
    (
        REQUESTS,
        50,
        "avg by (group) (requests{job='api'})",
        {'{group="canary"}': 350, '{group="production"}': 150},
    ),
    (REQUESTS, 50, "sum without (instance, group) (requests)", {'{job="api"}': 1000, '{job="app"}': 2600}),
    (REQUESTS, 50, "sum(requests) by (job, none)", {'{job="api"}': 1000, '{job="app"}': 2600}),
    (REQUESTS, 50, "sum by () (requests)", {"": 3600}),
    (REQUESTS, 50, "count(requests)", {"": 8}),
    (REQUESTS, 50, "min(requests)", {"": 100}),
    (REQUESTS, 50, "max by (job) (requests)", {'{job="api"}': 400, '{job="app"}': 800}),
    (
        REQUESTS,
        50,
        "sum(requests) by (job) - count(requests) by (job)",
        {'{job="api"}': 996, '{job="app"}': 2596},
    ),
    (REQUESTS, 50, "sum(requests) by (job) % 2 ^ 3 ^ 2", {'{job="api"}': 488, '{job="app"}': 40}),
    (REQUESTS, 50, "sum(requests) by (job) % 3 ^ 2", {'{job="api"}': 1, '{job="app"}': 8}),
    (REQUESTS, 50, "-10^3 * - sum(requests) by (job) ^ -1", {'{job="api"}': 1, '{job="app"}': 1 / 2.6}),
    (REQUESTS, 50, "-sum(requests)", {"": -3600}),
    (REQUESTS, 50, "sum(requests) / 0", {"": math.inf}),
    (REQUESTS, 50, "0 * sum(requests) % 0", {"": math.nan}),
    (REQUESTS, 50, "1000 < sum(requests) by (job)", {'{job="app"}': 2600}),
    (REQUESTS, 50, "sum(requests) by (job) == bool 1000", {'{job="api"}': 1, '{job="app"}': 0}),
    (REQUESTS, 50, "topk(1, requests)", {'requests{group="canary", instance="1", job="app"}': 800}),
    (REQUESTS, 50, "bottomk(1, requests)", {'requests{group="production", instance="0", job="api"}': 100}),
    (REQUESTS, 50, "count(topk by (group) (3, requests))", {"": 6}),
    (REQUESTS, 50, "topk(0, requests)", {}),
    (REQUESTS, 50, "count(topk(9999999999, requests))", {"": 8}),
    (
        REQUESTS,
        50,
        "requests{group='canary'} / on (instance, job) requests{group='production'}",
        {
            '{instance="0", job="api"}': 3,
            '{instance="1", job="api"}': 2,
            '{instance="0", job="app"}': 1.4,
            '{instance="1", job="app"}': 4 / 3,
        },
    ),
    (
        REQUESTS,
        50,
        "(requests{group='canary'} + 1) and ignoring (group, job) requests{instance='0', group='production'}",
        {'{group="canary", instance="0", job="api"}': 301, '{group="canary", instance="0", job="app"}': 701},
    ),
    (
        REQUESTS,
        50,
        "requests{group='canary', job='app'} unless on (instance) requests{instance='0'}",
        {'requests{group="canary", instance="1", job="app"}': 800},
    ),
    (
        REQUESTS,
        50,
        "(sum by (job) (requests) > 2000) or sum by (job) (requests)",
        {'{job="app"}': 2600, '{job="api"}': 1000},
    ),
    (REQUESTS, 50, "sum(requests and on (dummy) vector(1))", {"": 3600}),
    (REQUESTS, 50, "sum(round(0.0005 * requests{job='api', group='production'}, 0.1))", {"": 0.2}),
    (REQUESTS, 50, "sum(ceil(0.004 * requests{job='api', group='production'}))", {"": 2}),
    (REQUESTS, 50, "sum(round(-1 * (0.005 * requests{job='api', group='production'})))", {"": -1}),
    (COUNTERS, 50, "increase(foo_total[50m])", {"": 100}),
    (COUNTERS, 50, "increase(bar_total[50m])", {"": 160}),
    (COUNTERS, 50, "increase(bar_total[100m])", {"": 162}),
    (COUNTERS, 50, "increase(dings_total[100m])", {"": 105}),
    (COUNTERS, 50, "increase(bumms_total[100m])", {"": 101}),
    (COUNTERS, 30, "increase(falls_total[30m])", {"": 7}),
    (COUNTERS, 50, "rate(middle_total[50m])", {"": 0.08}),
    (COUNTERS, 50, "rate(end_total[5m])", {}),
    (COUNTERS, 50, "rate(steady_total[50m])", {"": 0.8 / 3}),
    (COUNTERS, 50, "rate(foo_total[10m] offset 5m)", {"": 0.1 / 3}),
    (COUNTERS, 50, "irate(foo_total[50m])", {"": 0.1 / 3}),
    (COUNTERS, 20, "delta(level[20m])", {"": -200}),
    (COUNTERS, 20, "idelta(level[20m])", {"": -50}),
    (COUNTERS, 30, "count_over_time(holes[31m])", {"": 4}),
    (COUNTERS, 30, "sum_over_time(holes[30m])", {"": 16}),
    (COUNTERS, 30, "avg_over_time(holes[30m])", {"": 16 / 3}),
    (COUNTERS, 30, "last_over_time(holes[5m])", {"holes": 7}),
    (COUNTERS, 20, "last_over_time(holes[15m])", {"holes": 3}),
    (COUNTERS, 10, "max_over_time(empty[10m])", {"": 1}),
    (COUNTERS, 0, "min_over_time(empty[10m])", {"": math.nan}),
    (COUNTERS, 5, "clamp(empty, 2, 3)", {"": 2}),
    (COUNTERS, 5, "clamp(empty, 3, 2)", {}),
    (COUNTERS, 5, "clamp_max(empty, 0) + clamp_min(empty, 7)", {"": 7}),
    (COUNTERS, 5, "scalar(empty) + time()", {"": 301}),
    (COUNTERS, 5, "scalar(none)", {"": math.nan}),
    (COUNTERS, 5, "vector(time()) / 300", {"": 1}),
    (COUNTERS, 5, "-2^---1*3", {"": -1.5}),
    (COUNTERS, 5, "2/-2^---1*3+2", {"": -10}),
    (COUNTERS, 5, "abs(-empty) > bool 0.5", {"": 1}),
    (
        NODES,
        1,
        "node_role * on (instance) group_right (role) node_var",
        {'{instance="abc", job="node", role="prometheus"}': 2},
    ),
    (
        NODES,
        1,
        "node_cpu{mode='idle'} * ignoring (role, mode) group_left (role) node_role",
        {'{instance="abc", job="node", mode="idle", role="prometheus"}': 3},
    ),
    (
        NODES,
        1,
        "node_cpu{mode='user'} / on (instance) group_left sum by (instance, job) (node_cpu)",
        {'{instance="abc", job="node", mode="user"}': 0.25, '{instance="def", job="node", mode="user"}': 0.2},
    ),
]


@pytest.mark.parametrize(
    ("series", "minutes", "query", "expected"), INSTANTS, ids=[row[2] for row in INSTANTS]
)
def test_a_query_gives_what_prometheus_states(
    series: str, minutes: float, query: str, expected: dict[str, float]
) -> None:
    found = at(store(series), query, minutes)
    assert found == pytest.approx(
        {labels(text): value for text, value in expected.items()}, nan_ok=True, rel=1e-12
    )


@pytest.mark.parametrize(
    ("query", "message", "position"),
    [
        (
            "node_cpu * on (instance) node_role",
            "many-to-one matching must be explicit (group_left/group_right)",
            9,
        ),
        ("node_role * on (instance) node_cpu", "many-to-many matching not allowed", 10),
        ("node_cpu + on (instance) node_cpu", "found duplicate series for the match group", 9),
        (
            "node_role + on (job) group_right (mode) node_cpu",
            "grouping labels must ensure unique matches",
            10,
        ),
        (
            "1 + rate({__name__=~'node_(var|fan)'}[5m] offset -4s)",
            "cannot contain metrics with the same labelset",
            4,
        ),
        ("2 * abs({__name__=~'node_(var|fan)'})", 'the same labelset: {instance="abc", job="node"}', 4),
    ],
)
def test_a_match_that_is_not_unique_is_an_error_with_its_place(
    query: str, message: str, position: int
) -> None:
    twice = NODES.replace("} 2\n", "} 2 3\n")
    nodes = store(f'{twice}\nnode_fan{{instance="abc", job="node"}} 1 2', step=10_000)
    with pytest.raises(QueryError) as caught:
        at(nodes, query, 0.1)
    assert message in caught.value.message
    assert caught.value.position == position


def test_the_newest_sample_counts_for_less_than_five_minutes() -> None:
    held = store("up 1")
    assert at(held, "up", 4.999) == {labels("up"): 1}
    assert at(held, "up", 5) == {}
    assert at(held, "up", -0.001) == {}


def test_a_series_that_a_scrape_lacks_is_gone_at_once() -> None:
    held = store("up 1 _ 3\nother 1 1 1", step=60_000)
    [values] = over(held, "up", 0, 180_000, 30_000).values()
    assert [None if math.isnan(value) else value for value in values] == [1, 1, None, None, 3, 3, 3]


def test_a_window_is_open_on_its_left() -> None:
    held = store("up 1 2 3", step=1000)
    assert over(held, "sum_over_time(up[2s])", 2000, 2000, 1) == {(): [5.0]}


def test_an_offset_looks_back_and_forth() -> None:
    held = store("up 1 2 3", step=60_000)
    assert at(held, "up offset 1m", 2) == {labels("up"): 2}
    assert at(held, "up offset -1m", 1) == {labels("up"): 3}
    assert at(held, "up @ 60", 100) == {labels("up"): 2}


def test_a_series_that_replaces_another_continues_the_match() -> None:
    held = store('now{run="1"} 1 1 _ _\nnow{run="2"} _ _ 1 1\nlimit 5 5 5 5', step=60_000)
    [values] = over(held, "limit * on () now", 0, 180_000, 60_000).values()
    assert values.tolist() == [5, 5, 5, 5]


def test_targets_with_their_own_times_stand_side_by_side() -> None:
    held = store("up 1 2 3", step=60_000, target=(("instance", "a"), ("job", "node")))
    store("up 5 6 7 8 9 10", step=45_000, target=(("instance", "b"), ("job", "node")), head=held)
    assert over(held, "sum by (job) (up)", 0, 120_000, 60_000)[labels('{job="node"}')].tolist() == [6, 8, 10]


def test_nothing_stored_gives_no_series() -> None:
    held = store("up 1")
    for query in (
        "none",
        "sum(none)",
        "topk(3, none)",
        "none + none",
        "rate(none[5m])",
        "none or none",
        "-none",
    ):
        assert at(held, query, 0) == {}, query
        assert at(held, f"max by (a) ({query})", 0) == {}, query
