"""Samples of the past as OpenMetrics text (version 1.0.0): each with its time, one metric after another.

`promtool tsdb create-blocks-from openmetrics` reads what is written here.  The text has no place for the
least and greatest of a rolled-up row: its last sample is what is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NoReturn

import numpy as np

from monitor.formats.exposition import Flavour, header, label_set, number
from monitor.formats.tracks import MOST, TrackError, right_time
from monitor.model import Kind, Labels, Metric, Track

SOME = 10_000
"""Samples of one series that are read at once."""
LONGEST = 1 << 20
"""Bytes of a line."""
KINDS = {"counter": Kind.COUNTER, "gauge": Kind.GAUGE, "histogram": Kind.HISTOGRAM, "unknown": Kind.UNKNOWN}
OTHERS = {"summary", "gaugehistogram", "stateset", "info", "untyped"}
"""Types whose series are taken as they are."""
PARTS = ("_bucket", "_sum", "_count", "_total", "_created", "_info")
_SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? "
    r"(?P<value>[^ {}]+) (?P<time>-?[0-9.eE+]+)(?: # \{.*)?"
)
_LABEL = re.compile(r'(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?P<value>(?:[^"\\\n]|\\.)*)"(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")


def write(groups: Iterable[list[Track]], out: BinaryIO) -> int:
    """Write tracks that come metric by metric, those of a group time by time; how many samples."""
    family, count = "", 0
    for group in groups:
        metric = group[0].metric
        if metric.name != family:
            family = metric.name
            out.write(header(metric, Flavour.OPENMETRICS).encode())
        lines = [list(lines_of(track)) for track in group]
        count += sum(map(len, lines))
        if len(lines) == 1:
            out.write("".join(line for _, line in lines[0]).encode())
        else:
            # The parts of a histogram at one time are one point.
            found = sorted((pair for part in lines for pair in part), key=lambda pair: pair[0])
            out.write("".join(line for _, line in found).encode())
    out.write(b"# EOF\n")
    return count


def lines_of(track: Track) -> Iterator[tuple[int, str]]:
    """Each sample with its time."""
    own = dict(track.labels)
    name = own.pop("__name__")
    left = f"{name}{label_set(tuple(own.items()))} "
    for time, value in zip(track.times.tolist(), track.values[0].tolist(), strict=True):
        yield time, f"{left}{number(value)} {seconds(time)}\n"


def seconds(time: int) -> str:
    """Milliseconds as seconds, exactly."""
    whole, part = divmod(abs(time), 1000)
    sign = "-" if time < 0 else ""
    return f"{sign}{whole}.{part:03d}" if part else f"{sign}{whole}"


class Reader:
    """Reads samples line by line.  Raises TrackError, with the line, for what is none of the format."""

    def __init__(self, file: BinaryIO, name: str, until: int = MOST) -> None:
        """`until` is the time (ms) that no sample may be after."""
        self._file, self._name, self._until = file, name, until
        self._line = 0
        self._metric = Metric("", Kind.UNKNOWN, "")
        self._labels: dict[str, Labels] = {}

    def tracks(self) -> Iterator[Track]:
        """Runs of samples of one series, in the order of the file."""
        labels: Labels = ()
        metric = self._metric
        times: list[int] = []
        values: list[float] = []
        for found in self._samples():
            if found[0] is not labels or len(times) >= SOME:
                if times:
                    yield Track(labels, metric, np.array(times, np.int64), np.array([values]))
                labels, metric, times, values = found[0], found[1], [], []
            times.append(found[2])
            values.append(found[3])
        if times:
            yield Track(labels, metric, np.array(times, np.int64), np.array([values]))

    def _samples(self) -> Iterator[tuple[Labels, Metric, int, float]]:
        ended = False
        while raw := self._file.readline(LONGEST):
            self._line += 1
            if ended:
                self._refuse("nothing behind # EOF")
            try:
                line = raw.decode()
            except UnicodeDecodeError:
                self._refuse("UTF-8")
            if not line.endswith("\n"):
                self._refuse("a line that ends, of at most a million bytes")
            line = line[:-1]
            if line == "# EOF":
                ended = True
            elif line.startswith("#"):
                self._describe(line)
            else:
                yield self._sample(line)
        if not ended:
            self._line += 1
            self._refuse("# EOF: the file is cut off")

    def _describe(self, line: str) -> None:
        words = line.split(" ", 3)
        if len(words) < 3 or words[0] != "#" or words[1] not in ("TYPE", "HELP", "UNIT"):
            self._refuse("# TYPE, # HELP or # UNIT and a name, or # EOF", line)
        _, what, name, *rest = words
        if name != self._metric.name:
            self._metric = Metric(name, Kind.UNKNOWN, "")
        text = rest[0] if rest else ""
        kind, help_, unit = self._metric.kind, self._metric.help, self._metric.unit
        if what == "TYPE":
            if text not in KINDS and text not in OTHERS:
                self._refuse(f"a type, one of {', '.join(KINDS)}", line)
            kind = KINDS.get(text, Kind.UNKNOWN)
        elif what == "HELP":
            help_ = unescape(text)
        else:
            unit = text
        self._metric = Metric(name, kind, help_, unit)

    def _sample(self, line: str) -> tuple[Labels, Metric, int, float]:
        found = _SAMPLE.fullmatch(line)
        if not found:
            self._refuse('a sample with its time, as name{label="value"} 1.5 1764000000.25', line)
        try:
            value, time = float(found["value"]), round(float(found["time"]) * 1000)
        except (ValueError, OverflowError):
            self._refuse("a number and a time in seconds", line)
        if not right_time(time, self._until):
            self._refuse("a time in seconds, after 1970 and not in the future", line)
        left = line[: found.start("value")]
        labels = self._labels.get(left)
        if labels is None:
            labels = self._read_labels(found["name"], found["labels"] or "", line)
            if len(self._labels) > SOME:
                self._labels.clear()
            self._labels[left] = labels
        return labels, self._of(found["name"]), time, value

    def _read_labels(self, name: str, text: str, line: str) -> Labels:
        pairs, place = {"__name__": name}, 0
        while place < len(text):
            found = _LABEL.match(text, place)
            if not found or found["name"] in pairs:
                self._refuse('labels, each once, as {label="value",other="value"}', line)
            if found["value"]:
                pairs[found["name"]] = unescape(found["value"])
            place = found.end()
        return tuple(sorted(pairs.items()))

    def _of(self, name: str) -> Metric:
        """The metric that a sample belongs to: the last that was described, or one without a description."""
        metric = self._metric
        if metric.kind is Kind.COUNTER and name == f"{metric.name}_total":
            return Metric(name, metric.kind, metric.help, metric.unit)
        if name == metric.name or (metric.name and any(name == metric.name + part for part in PARTS)):
            return metric
        return Metric(name, Kind.UNKNOWN, "")

    def _refuse(self, expected: str, line: str = "") -> NoReturn:
        found = f"found {line[:120]!r}, " if line else ""
        raise TrackError(f"{self._name}:{self._line}: {found}expected {expected}; nothing was imported")


def unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
