"""Samples read from a page in the Prometheus text format 0.0.4; `exposition` writes it.

Source: prometheus.io/docs/instrumenting/exposition_formats.  A page that is not whole has no samples: its
last line may be half of one, and half a number is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.model import Kind, Metric, Series

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
VALUE = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf|inf)|NaN|nan"
LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*+)"[ \t]*(,|$)')
SET = r'(?:[^"}]|"(?:[^"\\]|\\.)*+")*+'
SAMPLE = re.compile(rf"({NAME})[ \t]*(?:\{{({SET})\}})?[ \t]*(?<=[ \t}}])({VALUE})(?:[ \t]+(-?\d+))?")
COMMENT = re.compile(rf"#[ \t]+(HELP|TYPE)[ \t]+({NAME})(?:[ \t]+(.*))?")
KINDS = {"counter": Kind.COUNTER, "gauge": Kind.GAUGE, "histogram": Kind.HISTOGRAM}
PARTED = ("histogram", "summary")
PARTS = ("_bucket", "_sum", "_count")
TYPES = (*KINDS, "summary", "untyped")
ESCAPE = re.compile(r"\\(.)")
ESCAPED = {"n": "\n"}


class Sample(NamedTuple):
    metric: Metric
    series: Series
    value: float
    timestamp: int | None
    """Unix time in milliseconds; None for that of the page."""


class Family:
    """What a page says of one metric."""

    def __init__(self) -> None:
        self.kind = self.help = ""
        self.began = False

    def metric(self, name: str) -> Metric:
        """A summary and an untyped metric have no kind of their own."""
        return Metric(name, KINDS.get(self.kind, Kind.UNKNOWN), self.help)


def decode(text: str) -> list[Sample]:
    """The samples of a page.  Raises ValueError that names the line and what was expected."""
    if text and not text.endswith("\n"):
        last = text.rpartition("\n")[2]
        raise ValueError(
            f"line {text.count(chr(10)) + 1}: the end of the line expected, cut off after {last[-40:]!r}"
        )
    families: dict[str, Family] = {}
    return list(samples(text, families))


def samples(text: str, families: dict[str, Family]) -> Iterator[Sample]:
    """The samples line by line; comments are noted in the families."""
    seen: set[Series] = set()
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        try:
            if line.startswith("#"):
                note(line, families)
            elif line:
                sample = read(line, families)
                if sample.series in seen:
                    raise ValueError(
                        f"{sample.series.name} with other labels expected, these were there before"
                    )
                seen.add(sample.series)
                yield sample
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None


def note(line: str, families: dict[str, Family]) -> None:
    """Keep what a HELP or TYPE line tells; any other comment is one."""
    found = COMMENT.fullmatch(line)
    if not found:
        return
    what, name, text = found[1], found[2], found[3] or ""
    family = families.setdefault(name, Family())
    if what == "HELP":
        family.help = unescaped(text)
    elif text not in TYPES:
        raise ValueError(f"a type of {', '.join(TYPES)} expected for {name}, found {text[:40]!r}")
    elif family.kind or family.began:
        raise ValueError(f"the type of {name} expected once and before its samples")
    else:
        family.kind = text


def read(line: str, families: dict[str, Family]) -> Sample:
    """The sample of one line."""
    found = SAMPLE.fullmatch(line)
    if not found:
        raise ValueError(f"a name, labels and a number expected, found {line[:60]!r}")
    name, inner, value, timestamp = found.groups()
    base = family_name(name, families)
    family = families.setdefault(base, Family())
    family.began = True
    series = Series(name, labels(inner or ""))
    return Sample(family.metric(base), series, float(value), int(timestamp) if timestamp else None)


def family_name(name: str, families: dict[str, Family]) -> str:
    """The metric that a sample belongs to: a histogram's or a summary's parts have longer names."""
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and base in families and families[base].kind in PARTED:
            return base
    return name


def labels(inner: str) -> tuple[tuple[str, str], ...]:
    """The labels between the braces, in order of their names."""
    found: dict[str, str] = {}
    end = 0
    while inner[end:].strip():
        match = LABEL.match(inner, end)
        if not match or match[1] in found or match[1].startswith("__"):
            raise ValueError(f'a new label as name="value" expected, found {inner[end : end + 60]!r}')
        found[match[1]] = unescaped(match[2])
        end = match.end()
    return tuple(sorted((name, value) for name, value in found.items() if value))


def unescaped(text: str) -> str:
    return ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), text) if "\\" in text else text
