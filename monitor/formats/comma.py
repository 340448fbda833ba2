"""Samples of the past as comma-separated values (RFC 4180): a line for each, in UTF-8.

The columns are `time` (RFC 3339, or Unix seconds), `name`, `type`, `unit`, then `value`, or `last`, `min`,
`max`, `sum`, `count` and `lost` of rolled-up rows, then one `label.NAME` for each label that any series has.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, NoReturn

import numpy as np

from monitor.formats.exposition import number
from monitor.formats.tracks import MOST, TrackError, right_time
from monitor.model import Kind, Labels, Metric, Times, Track

FIXED = ("time", "name", "type", "unit")
LABEL = "label."
SOME = 10_000
"""Samples of one series that are read at once."""
LONGEST = 1 << 20
"""Letters of a field."""
PARTS = ("_bucket", "_sum", "_count")


def write(groups: Iterable[list[Track]], labels: Sequence[str], values: Sequence[str], out: BinaryIO) -> int:
    """Write tracks; `labels` and `values` name the columns.  How many rows there are."""
    out.write(line([*FIXED, *values, *(LABEL + name for name in labels)]))
    count = 0
    for group in groups:
        for track in group:
            out.write(b"".join(lines_of(track, labels)))
            count += len(track.times)
    return count


def lines_of(track: Track, labels: Sequence[str]) -> Iterator[bytes]:
    own = dict(track.labels)
    left = line([own["__name__"], track.metric.kind.value, track.metric.unit])[:-2]
    right = line(["", *(own.get(name, "") for name in labels)]) if labels else b"\r\n"
    columns = [[number(value).encode() for value in column] for column in track.values.tolist()]
    for time, *cells in zip(moments(track.times), *columns, strict=True):
        yield b",".join((time, left, *cells)) + right


def line(fields: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(fields)
    return text.getvalue().encode(errors="replace")


def moments(times: Times) -> list[bytes]:
    """Milliseconds as RFC 3339 has them."""
    return [b"%sZ" % each for each in np.datetime_as_string(times.astype("M8[ms]")).astype("S").tolist()]


class Reader:
    """Reads lines.  Raises TrackError, with the line, for what is none of the format."""

    def __init__(self, file: BinaryIO, name: str, until: int = MOST) -> None:
        """`until` is the time (ms) that no sample may be after."""
        self._name, self._until = name, until
        csv.field_size_limit(LONGEST)
        lines = (each.decode() for each in iter(lambda: file.readline(LONGEST), b""))
        self._rows = csv.reader(lines, strict=True)
        self._keys: dict[tuple[str, ...], tuple[Labels, Metric]] = {}

    def tracks(self) -> Iterator[Track]:
        """Runs of samples of one series, in the order of the file."""
        held: tuple[Labels, Metric] | None = None
        times: list[int] = []
        values: list[float] = []
        for found, time, value in self._samples():
            if found is not held or len(times) >= SOME:
                if held and times:
                    yield Track(*held, np.array(times, np.int64), np.array([values]))
                held, times, values = found, [], []
            times.append(time)
            values.append(value)
        if held and times:
            yield Track(*held, np.array(times, np.int64), np.array([values]))

    def _samples(self) -> Iterator[tuple[tuple[Labels, Metric], int, float]]:
        try:
            header = next(self._rows, [])
            names = self._labels(header)
            for row in self._rows:
                if len(row) != len(header):
                    self._refuse(f"{len(header)} fields, found {len(row)}")
                yield self._described(row, names), self._time(row[0]), self._value(row[4])
        except (csv.Error, UnicodeDecodeError) as error:
            self._refuse(f"comma-separated values in UTF-8 ({error})")

    def _labels(self, header: list[str]) -> list[str]:
        """The names of the labels."""
        if header[:5] == [*FIXED, "last"]:
            self._refuse("samples as they came (a column `value`), found rows that are rolled up")
        if header[:5] != [*FIXED, "value"]:
            self._refuse(f"a first line of {','.join(FIXED)},value and label.NAME")
        names = [name.removeprefix(LABEL) for name in header[5:]]
        if any(not name.startswith(LABEL) for name in header[5:]) or len(set(names)) < len(names):
            self._refuse("columns label.NAME, each once, behind `value`")
        return names

    def _described(self, row: list[str], names: list[str]) -> tuple[Labels, Metric]:
        key = (*row[1:4], *row[5:])
        known = self._keys.get(key)
        if known is None:
            name, kind, unit = row[1:4]
            if not name or kind not in set(Kind):
                self._refuse(f"a name, and a type of {', '.join(Kind)}; found {name!r}, {kind!r}")
            pairs = {"__name__": name, **dict(pair for pair in zip(names, row[5:], strict=True) if pair[1])}
            known = tuple(sorted(pairs.items())), Metric(family(name, Kind(kind)), Kind(kind), "", unit)
            if len(self._keys) > SOME:
                self._keys.clear()
            self._keys[key] = known
        return known

    def _time(self, text: str) -> int:
        found = self._moment(text)
        if not right_time(found, self._until):
            self._refuse(f"a time after 1970 and not in the future, found {text[:40]!r}")
        return found

    def _moment(self, text: str) -> int:
        try:
            if text.endswith("Z") or "T" in text:
                found = datetime.fromisoformat(text)
                if found.tzinfo is None:
                    raise ValueError
                return round((found - datetime.fromtimestamp(0, UTC)).total_seconds() * 1000)
            return round(float(text) * 1000)
        except (ValueError, OverflowError):
            self._refuse(f"a time, as 2026-11-23T13:00:00Z or 1795438800.5, found {text[:40]!r}")

    def _value(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            self._refuse(f"a number, found {text[:40]!r}")

    def _refuse(self, expected: str) -> NoReturn:
        raise TrackError(f"{self._name}:{self._rows.line_num}: expected {expected}; nothing was imported")


def family(name: str, kind: Kind) -> str:
    """The metric that a series is of."""
    if kind is Kind.HISTOGRAM:
        for part in PARTS:
            if name.endswith(part):
                return name.removesuffix(part)
    return name
