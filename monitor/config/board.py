"""A board: what a dashboard shows, in PromQL."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, ValidationInfo, model_validator

from .problems import conflict, expected
from .section import Form, Section

Unit = Literal[
    "ratio",
    "bytes",
    "bytes_per_second",
    "bits_per_second",
    "seconds",
    "per_second",
    "count",
    "celsius",
    "none",
]


def read_slug(text: str) -> str:
    if not text or not set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-"):
        raise expected("a short name of the characters a-z, 0-9, _ and -")
    return text


def read_text(text: str) -> str:
    if not text.strip():
        raise expected("a text that is not empty")
    return text


def read_query(text: str, info: ValidationInfo) -> str:
    """PromQL is judged by whoever loads the settings (monitor/config/loaded.py), where somebody does."""
    judge = (info.context or {}).get("judge")
    fault = judge(text) if judge else None
    if fault is not None:
        raise expected(f"a query in PromQL ({fault})")
    return text


Slug = Annotated[str, AfterValidator(read_slug), Form("characters a-z, 0-9, _ and -")]
Text = Annotated[str, AfterValidator(read_text)]
PromQL = Annotated[Text, AfterValidator(read_query)]


class BoardQuery(Section):
    """One PromQL query of a panel or headline."""

    query: PromQL
    """What to draw, in PromQL; `$__rate_interval` becomes five steps."""
    legend: str = ""
    """Name of each series, in which `{{label}}` becomes the label's value; empty shows all labels."""
    role: Literal["value", "mirror", "limit"] = "value"
    """`value`; `mirror` is drawn below zero (writes, sent bytes); `limit` is a quiet dashed line (cores,
    total)."""


Queries = Annotated[tuple[BoardQuery, ...], Strict(False), Field(min_length=1)]


class Scale(Section):
    """A range that an axis covers at least, and thresholds that colour."""

    min: float | None = None
    """The axis begins at this or below, in the unit shown."""
    max: float | None = None
    """The axis ends at this or above, in the unit shown."""
    warn: float | None = None
    """From this value on the colour warns."""
    critical: float | None = None
    """From this value on the colour alarms."""

    @model_validator(mode="after")
    def check_range(self) -> Self:
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise conflict(self, "min", "max", "less than max ({other})")
        return self

    @model_validator(mode="after")
    def check_thresholds(self) -> Self:
        if self.warn is not None and self.critical is not None and self.warn > self.critical:
            raise conflict(self, "warn", "critical", "at most critical ({other})")
        return self


class Detail(Section):
    """A small phrase below a headline number."""

    query: PromQL
    """Its value, in PromQL; the first series counts."""
    legend: str = "{{value}}"
    """The phrase, in which `{{value}}` becomes the newest value and `{{label}}` the label's value."""
    unit: Unit = "none"
    """Unit of the value."""


class Headline(Scale):
    """A number that matters, with a spark line, above the charts."""

    title: Text
    """Its name."""
    unit: Unit = "none"
    """Unit of the number."""
    queries: Queries
    """What is shown."""
    show: Literal["largest", "each"] = "largest"
    """`largest`: the largest series of all queries, by its legend; `each`: one number for each query."""
    details: Annotated[tuple[Detail, ...], Strict(False)] = ()
    """Phrases below the number."""


class Panel(Scale):
    """A chart."""

    title: Text
    """Its name."""
    section: str | None = None
    """Consecutive panels of the same section share this heading."""
    kind: Literal["line", "area", "stacked", "heat", "bars"] = "line"
    """How it is drawn.  `heat`: a row for each series; `bars`: the newest values."""
    unit: Unit = "none"
    """Unit of the values."""
    queries: Queries
    """What is drawn."""
    width: Literal[1, 2, 3] = 1
    """Columns of the grid's three."""
    needs: str = ""
    """What it takes to have data here, said in a panel that has none."""


class Board(Section):
    """A dashboard: headline numbers and a grid of charts."""

    name: Slug
    """Short name, as in the page's address."""
    title: Text
    """What people call it."""
    headline: Annotated[tuple[Headline, ...], Strict(False)] = ()
    """The numbers on top."""
    panels: Annotated[tuple[Panel, ...], Strict(False)] = ()
    """The charts."""
