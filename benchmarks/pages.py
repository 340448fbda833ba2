"""Pages of the Prometheus text format taken apart, and their samples put in columns.

Source: prometheus.io/docs/instrumenting/exposition_formats.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.recording import Entry
from monitor.model import Floats, Kind, Metric, Series

LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")
PARTS = ("_bucket", "_sum", "_count")
FRAME = struct.Struct("<qI")
"""Before each page of a file: Unix time in ms, and the bytes of the page, which is packed by zlib."""


class Columns:
    """Samples of many pages, a row a page; what a page lacks is NaN.  Of a series that stands twice in a page
    the first counts."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        """Column by what stands left of the value."""
        self._rows: list[Floats] = []
        self._told: dict[str, tuple[str, str]] = {}
        """Kind and help of each metric."""

    def add(self, page: str) -> None:
        """Take one page."""
        found: dict[int, float] = {}
        for line in page.splitlines():
            if line.startswith("#"):
                self._tell(line)
            elif line:
                left, _, value = line.rpartition(" ")
                found.setdefault(self._places.setdefault(left, len(self._places)), float(value))
        row = np.full(len(self._places), np.nan)
        row[list(found)] = list(found.values())
        self._rows.append(row)

    def _tell(self, line: str) -> None:
        word, name, text = [*line[1:].split(None, 2), "", "", ""][:3]
        kind, told = self._told.get(name, ("", ""))
        self._told[name] = (text if word == "TYPE" else kind, text if word == "HELP" else told)

    def whole(self) -> tuple[list[Entry], Floats]:
        """The series that every page has with a finite value, and (n, k) values."""
        width = len(self._places)
        values = np.array([np.pad(row, (0, width - len(row)), constant_values=np.nan) for row in self._rows])
        kept = np.isfinite(values).all(axis=0)
        entries = [self._entry(left) for left, place in self._places.items() if kept[place]]
        return entries, values[:, kept]

    def _entry(self, left: str) -> Entry:
        name, _, labels = left.partition("{")
        known = next((base for base in bases(name) if base in self._told), name)
        kind, text = self._told.get(known, ("", ""))
        held = tuple(sorted((key, ESCAPE.sub(unescaped, value)) for key, value in LABEL.findall(labels)))
        whole = Kind(kind) if kind in list(Kind) else Kind.UNKNOWN
        return Metric(known, whole, text), Series(name, held)


def bases(name: str) -> Iterator[str]:
    """Names of the metric that a sample of this name may be of."""
    yield name
    for part in PARTS:
        if name.endswith(part):
            yield name.removesuffix(part)


def unescaped(found: re.Match[str]) -> str:
    return {"n": "\n"}.get(found[1], found[1])


def packed(time: int, page: str) -> bytes:
    """A page as it stands in a file, with its time in ms."""
    body = zlib.compress(page.encode())
    return FRAME.pack(time, len(body)) + body


def read(path: Path) -> Iterator[str]:
    """The pages of a file of frames; one cut off at the end is left out."""
    with path.open("rb") as file:
        while len(head := file.read(FRAME.size)) == FRAME.size:
            _, size = FRAME.unpack(head)
            packed = file.read(size)
            if len(packed) == size:
                yield zlib.decompress(packed).decode()
