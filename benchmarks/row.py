"""One figure of the report, and the report as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

HEAD = ("what", "ours", "unit", "baseline", "is", "ratio", "aim", "met")


class Row(NamedTuple):
    """Our median beside that of a baseline, in the same unit."""

    name: str
    ours: float
    unit: str
    against: str = ""
    """What the baseline is; empty where there is none."""
    baseline: float | None = None
    most: float | None = None
    """The aim: ours is at most this."""
    ratio_most: float | None = None
    """The aim: the ratio is at most this."""

    @property
    def ratio(self) -> float | None:
        """Ours over the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether every aim is reached; None where there is none."""
        reached = []
        if self.most is not None:
            reached.append(self.ours <= self.most)
        if self.ratio_most is not None:
            reached.append(self.ratio is not None and self.ratio <= self.ratio_most)
        return all(reached) if reached else None

    @property
    def aim(self) -> str:
        """The aims as people read them."""
        ratio = None if self.ratio_most is None else f"ratio ≤ {number(self.ratio_most)}"
        most = None if self.most is None else f"≤ {number(self.most)}"
        return ", ".join(filter(None, (most, ratio)))

    def cells(self) -> tuple[str, ...]:
        """The row as people read it."""
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return (
            self.name,
            number(self.ours),
            self.unit,
            self.against,
            number(self.baseline),
            number(self.ratio),
            self.aim,
            met,
        )

    def fields(self) -> dict[str, Any]:
        """The row for a machine."""
        return {**self._asdict(), "ratio": self.ratio, "met": self.met}


def number(value: float | None) -> str:
    """Three figures that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table whose columns stand in line."""
    lines: list[Sequence[str]] = [HEAD, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)
