"""Curves as an SVG picture: a pure function from numbers to text.

It follows the reader's light or dark scheme, tells its title and description to screen readers (SVG 2,
section 5.7), and tells curves apart by dashes as well as by colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 64, 48
TICKS = 6
"""At most so many steps of an axis."""
LINES = (("#1f74bf", "#4ba6ec", ""), ("#d9702a", "#ffa869", "8 4"), ("#2f6b3a", "#9fe8c8", "2 4"))
"""Of each curve in turn: colours on light ground and on dark, as on the page (chart/palette.ts); dashes."""
STYLE = """text{font:13px sans-serif;fill:#18202b}.title{font-size:15px;font-weight:600}.soft{fill:#5b6675}
.ground{fill:#ffffff}.grid{stroke:#dfe4ea}path{fill:none;stroke-width:2;stroke-linejoin:round}"""
DARK = "text{fill:#e3e8ef}.soft{fill:#98a3b3}.ground{fill:#141920}.grid{stroke:#232b36}"


class Curve(NamedTuple):
    name: str
    points: Sequence[tuple[float, float]]
    """In the order of x; neither may be below 0."""


class Plot(NamedTuple):
    title: str
    description: str
    x: str
    """What the axis says; with its unit."""
    y: str
    curves: Sequence[Curve]
    """One at least, and no more than there are lines."""


class Axis(NamedTuple):
    """Numbers from 0 to the last tick, on a stretch of so many pixels."""

    ticks: Sequence[float]
    length: float

    def at(self, value: float) -> float:
        return value / self.ticks[-1] * self.length


def svg(plot: Plot) -> str:
    """The whole file.  Raises ValueError where there is nothing to draw, or too much."""
    points = [point for curve in plot.curves for point in curve.points]
    if not points or len(plot.curves) > len(LINES):
        raise ValueError(f"{plot.title}: expected 1 to {len(LINES)} curves with points")
    across = Axis(ticks(max(x for x, _ in points)), WIDTH - LEFT - RIGHT)
    up = Axis(ticks(max(y for _, y in points)), HEIGHT - TOP - BOTTOM)
    parts = [*_head(plot), *_grid(across, up), *_labels(plot)]
    parts += [_line(number, curve, across, up) for number, curve in enumerate(plot.curves)]
    return "\n".join([*parts, *_legend(plot), "</svg>", ""])


def ticks(most: float) -> list[float]:
    """Round numbers from 0 until they reach the most: steps of 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most / TICKS))
    step = next(power * by for by in (1, 2, 5, 10, 20) if most <= power * by * TICKS * (1 + 1e-9))
    return [round(step * place, 9) for place in range(math.ceil(most / step - 1e-9) + 1)]


def _head(plot: Plot) -> list[str]:
    light = "".join(f".c{place}{{stroke:{line[0]}}}" for place, line in enumerate(LINES))
    dark = "".join(f".c{place}{{stroke:{line[1]}}}" for place, line in enumerate(LINES))
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' role="img" aria-labelledby="title description">',
        f'<title id="title">{escape(plot.title)}</title>',
        f'<desc id="description">{escape(plot.description)}</desc>',
        f"<style>{STYLE}{light}\n@media(prefers-color-scheme:dark){{{DARK}{dark}}}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
    ]


def _grid(across: Axis, up: Axis) -> list[str]:
    bottom = HEIGHT - BOTTOM
    parts = []
    for tick in up.ticks:
        y = f"{bottom - up.at(tick):.1f}"
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>')
        parts.append(
            f'<text class="soft" x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{number(tick)}</text>'
        )
    for tick in across.ticks:
        x, anchor = f"{LEFT + across.at(tick):.1f}", "end" if tick == across.ticks[-1] else "middle"
        parts.append(
            f'<text class="soft" x="{x}" y="{bottom + 18}" text-anchor="{anchor}">{number(tick)}</text>'
        )
    return parts


def _labels(plot: Plot) -> list[str]:
    middle = (LEFT + WIDTH - RIGHT) // 2
    turned = f"translate(16 {(TOP + HEIGHT - BOTTOM) // 2}) rotate(-90)"
    return [
        f'<text class="title" x="{LEFT}" y="24">{escape(plot.title)}</text>',
        f'<text class="soft" x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(plot.x)}</text>',
        f'<text class="soft" transform="{turned}" text-anchor="middle">{escape(plot.y)}</text>',
    ]


def _line(place: int, curve: Curve, across: Axis, up: Axis) -> str:
    points = [f"{LEFT + across.at(x):.1f},{HEIGHT - BOTTOM - up.at(y):.1f}" for x, y in curve.points]
    return _stroke(place, f"M{' '.join(points)}")


def _stroke(place: int, drawn: str) -> str:
    dashes = LINES[place][2]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path class="c{place}" d="{drawn}"{dashed}/>'


def _legend(plot: Plot) -> list[str]:
    """A stroke and a name for each, side by side, as wide as letters usually are."""
    parts, x = [], LEFT
    for place, curve in enumerate(plot.curves):
        parts.append(_stroke(place, f"M{x},44 {x + 28},44"))
        parts.append(f'<text x="{x + 34}" y="48">{escape(curve.name)}</text>')
        x += 34 + 7 * len(curve.name) + 20
    return parts


def number(value: float) -> str:
    """As people write it."""
    return f"{value:,.0f}" if value == round(value) else f"{value:g}"
