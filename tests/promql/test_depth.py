"""How far back queries look."""

import pytest

from monitor.promql import Depth, depth_of, parse
from monitor.promql.parse import FARTHEST


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("1 + time()", Depth(0, None)),
        ("up", Depth(300_000, None)),
        ("up offset 1h", Depth(3_900_000, None)),
        ("-sum by (job) (rate(up[30m]))", Depth(1_800_000, None)),
        ("topk(scalar(up offset 5m), up) / on () up", Depth(600_000, None)),
        ("rate(up[5m] offset -1h)", Depth(-3_300_000, None, 3_600_000)),
        ("up + up @ 600", Depth(300_000, 300_000)),
        ("clamp_min(max_over_time(up[1m] @ 600 offset 1m), 1)", Depth(0, 480_000)),
    ],
)
def test_a_query_looks_back_as_far_as_its_farthest_part(text: str, depth: Depth) -> None:
    assert depth_of([parse(text)]) == depth


def test_queries_together_look_back_as_far_as_the_farthest() -> None:
    both = depth_of([parse("rate(up[10m])"), parse("up @ 600")])
    assert both == Depth(600_000, 300_000)
    assert [both.earliest(time) for time in (600_000, 3_600_000)] == [0, 300_000]
    assert depth_of([]).earliest(7) == 7


def test_an_evaluation_looks_at_nothing_but_what_lies_between_its_ends() -> None:
    ends = [depth_of([parse(text)]).ends(600_000, 700_000) for text in ("up", "up offset -1m", "up @ 600")]
    assert ends == [(300_000, 700_000), (360_000, 760_000), (300_000, FARTHEST)]
