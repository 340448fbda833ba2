"""Use of memory: /proc/meminfo, in KiB (the lines that end in kB) and in pages (those that do not).

Linux, Documentation/filesystems/proc.rst, "meminfo".
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.table import Cell, Table, is_number
from monitor.model import Block, Kind, Metric

KIB = 1 / 1024
PUNCTUATION = str.maketrans({"(": "_", ")": "", ":": ""})


class Meminfo:
    """One gauge for each line, whatever lines a kernel has."""

    def __init__(self) -> None:
        self._table = Table(cells)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._table.block(host.proc("meminfo"))


def cells(words: list[str]) -> Iterator[Cell]:
    """The number behind each name: `Active(anon):  1464 kB` is node_memory_Active_anon_bytes."""
    for place, word in enumerate(words):
        if not word.endswith(":"):
            continue
        if not is_number(words[place + 1] if place + 1 < len(words) else ""):
            raise ValueError(f"meminfo: a number expected behind {word!r}")
        counted = words[place + 2 : place + 3] != ["kB"]
        yield Cell(metric(word, counted).at(), place + 1, 1 if counted else KIB)


def metric(word: str, counted: bool) -> Metric:
    """The metric of a line by its first word."""
    field = word.translate(PUNCTUATION) + ("" if counted else "_bytes")
    return Metric(
        f"node_memory_{field}", Kind.GAUGE, f"{field} of /proc/meminfo.", "" if counted else "bytes"
    )
