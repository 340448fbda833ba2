"""What requests of the query API say in text: times, durations, label names.

The forms are those of the Prometheus HTTP API (prometheus.io/docs/prometheus/latest/querying/api).  Every
function raises ParameterError with a message for the person who asked.
"""

import re
from datetime import datetime
from typing import NamedTuple

SECONDS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
DURATION = re.compile(
    r"((?P<y>\d{1,9})y)?((?P<w>\d{1,9})w)?((?P<d>\d{1,9})d)?((?P<h>\d{1,9})h)?((?P<m>\d{1,9})m)?"
    r"((?P<s>\d{1,9})s)?((?P<ms>\d{1,9})ms)?",
    re.ASCII,
)
UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
FARTHEST = 253_402_300_800_000
"""The year 10000 in milliseconds: no time lies farther from 1970."""


class ParameterError(ValueError):
    """A parameter that is not what it should be; the text says which, what was found, what was expected."""


class Range(NamedTuple):
    """The grid of a range query, in milliseconds."""

    start: int
    end: int
    step: int


def moment(name: str, text: str) -> int:
    """Unix time in milliseconds, from Unix seconds with any fraction or from RFC 3339."""
    if (seconds := number_of(text)) is not None:
        milliseconds = seconds * 1000
    elif RFC3339.fullmatch(text):
        try:
            milliseconds = datetime.fromisoformat(text.upper()).timestamp() * 1000
        except (ValueError, OverflowError):
            raise unfit(name, text, "no such day or time of day") from None
    else:
        raise unfit(name, text, "expected Unix seconds such as 1764000000.5, or 2025-11-24T16:00:00Z")
    if not abs(milliseconds) < FARTHEST:
        raise unfit(name, text, "expected a time before the year 10000")
    return round(milliseconds)


def duration(name: str, text: str) -> int:
    """Milliseconds, from seconds with any fraction or from a duration such as `15s` or `1h30m`; above 0."""
    if (seconds := number_of(text)) is not None:
        milliseconds = seconds * 1000
    elif text and (match := DURATION.fullmatch(text)):
        milliseconds = sum(UNITS[unit] * int(count) for unit, count in match.groupdict().items() if count)
    else:
        raise unfit(name, text, "expected seconds such as 15 or 0.5, or a duration such as 15s or 1h30m")
    if not 1 <= milliseconds < FARTHEST:
        raise unfit(name, text, "expected at least a millisecond, and less than 8000 years")
    return round(milliseconds)


def grid(start: str, end: str, step: str, points: int) -> Range:
    """A range of at most so many points in time."""
    asked = Range(moment("start", start), moment("end", end), duration("step", step))
    if asked.end < asked.start:
        raise ParameterError('invalid parameter "end": it must not be before start')
    if (asked.end - asked.start) // asked.step + 1 > points:
        raise ParameterError(
            f"more than {points:,} points in time are asked for; make step longer or the range shorter"
        )
    return asked


def label_name(text: str) -> str:
    """The name of a label, as it may stand in a path."""
    if not LABEL_NAME.fullmatch(text):
        raise ParameterError(f"invalid label name: {shown(text)}")
    return text


def number_of(text: str) -> float | None:
    """A decimal number, possibly infinite through overflow; None for anything else."""
    return float(text) if SECONDS.fullmatch(text) else None


def unfit(name: str, text: str, expected: str) -> ParameterError:
    return ParameterError(f'invalid parameter "{name}": {shown(text)}: {expected}')


def shown(text: str) -> str:
    """A text of a request in a message: quoted, and cut where it is long."""
    return ascii(text if len(text) <= 64 else text[:61] + "...")
