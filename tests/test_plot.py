"""Curves as a picture; MONITOR_GOLDEN=write writes the golden one anew."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.plot import TICKS, Curve, Plot, svg, ticks

GOLDEN = Path(__file__).parent / "plot.svg"
SVG = "{http://www.w3.org/2000/svg}"
SMALL = Plot(
    "Memory <by> viewers",
    "Three & more.",
    "viewers",
    "MB",
    [
        Curve("ours", [(0, 20), (100, 21.5), (200, 23)]),
        Curve("theirs", [(0, 12), (200, 40)]),
        Curve("nobody's", [(0, 0)]),
    ],
)


def test_a_plot_is_drawn_as_it_was() -> None:
    drawn = svg(SMALL)
    if os.environ.get("MONITOR_GOLDEN") == "write":
        GOLDEN.write_text(drawn, encoding="utf-8")
    assert drawn == GOLDEN.read_text(encoding="utf-8")


def test_it_can_be_read_aloud_and_in_the_dark() -> None:
    root = ET.fromstring(svg(SMALL))
    named = {each.get("id"): each.text for each in root if each.get("id")}
    assert named == {"title": "Memory <by> viewers", "description": "Three & more."}
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title description")
    assert "prefers-color-scheme:dark" in "".join(root.itertext())


def test_each_curve_has_dashes_of_its_own_and_its_name_in_the_legend() -> None:
    root = ET.fromstring(svg(SMALL))
    lines = root.findall(f"{SVG}path")
    drawn = {each.get("class"): each.get("stroke-dasharray") for each in lines}
    assert len(lines) == 2 * len(drawn) == 6
    assert len(set(drawn.values())) == 3
    assert {"ours", "theirs", "nobody's"} <= {each.text for each in root.findall(f"{SVG}text")}


@given(st.floats(1e-3, 1e12))
def test_ticks_reach_the_most_in_a_few_round_steps(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * (1 - 1e-6)
    assert 2 <= len(found) <= TICKS + 1
    assert found[-2] < most


@pytest.mark.parametrize(
    ("most", "steps"),
    [(0, [0, 1]), (10, [0, 2, 4, 6, 8, 10]), (61, [0, 20, 40, 60, 80]), (2000, [0, 500, 1000, 1500, 2000])],
)
def test_steps_are_such_as_people_count_in(most: float, steps: list[float]) -> None:
    assert ticks(most) == steps


@pytest.mark.parametrize("curves", [[], [Curve("empty", [])], [Curve("one", [(0, 1)])] * 4])
def test_what_cannot_be_drawn_is_refused(curves: list[Curve]) -> None:
    with pytest.raises(ValueError, match="expected 1 to 3 curves"):
        svg(Plot("t", "d", "x", "y", curves))
