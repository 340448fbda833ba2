"""Chosen settings of the kernel: files below /proc/sys, written with dots as sysctl(8) does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

NAME = re.compile(r"[a-zA-Z0-9_-]+([./][a-zA-Z0-9_-]+)*")
INFO = Metric("node_sysctl_info", Kind.GAUGE, "Always 1; the labels tell a setting and its value.")
FOREIGN = re.compile(r"[^a-zA-Z0-9:_]")


class Sysctl:
    """`include` are those with numbers, `kernel.pid_max`, or with a name for each of several numbers,
    `fs.file-nr:allocated,free,limit`; `include_info` are those with text."""

    def __init__(self, include: Sequence[str] = (), include_info: Sequence[str] = ()) -> None:
        self._numbers = [(name, fields.split(",") if fields else []) for name, fields in map(parted, include)]
        self._texts = [name for name, _ in map(parted, include_info)]

    def collect(self, host: Host) -> Iterator[Block]:
        found: dict[Entry, float] = {}
        for name, fields in self._numbers:
            found |= dict(numbered(name, fields, words(host, name)))
        for name in self._texts:
            values = enumerate(words(host, name))
            found |= {INFO.at(name=name, value=value, index=str(index)): 1.0 for index, value in values}
        yield Block(layout(tuple(found)), list(found.values()))


def parted(text: str) -> tuple[str, str]:
    """A name and its fields.  Raises ValueError for a name that may lead out of /proc/sys."""
    name, _, fields = text.partition(":")
    if not NAME.fullmatch(name):
        raise ValueError(f"sysctl: a name such as kernel.pid_max expected, found {name!r}")
    return name, fields


def words(host: Host, name: str) -> list[str]:
    """What the file of a setting holds.  Raises ValueError where that is nothing."""
    found = host.proc(f"sys/{name.replace('.', '/')}").split()
    if not found:
        raise ValueError(f"sysctl: {name} has no value")
    return found


def numbered(name: str, fields: Sequence[str], words: Sequence[str]) -> Iterator[tuple[Entry, float]]:
    """The series of one setting: one number by its name, several by field or by index."""
    if fields and len(fields) != len(words):
        raise ValueError(f"sysctl: {name} has {len(words)} values, expected one for each of {list(fields)}")
    for index, word in enumerate(words):
        ends = f"_{fields[index]}" if fields else ""
        metric = Metric("node_sysctl_" + FOREIGN.sub("_", name + ends), Kind.UNKNOWN, f"{name} of /proc/sys.")
        yield metric.at(**({"index": str(index)} if len(words) > 1 and not fields else {})), float(word)
