"""The tables of NFS: a name on each line, then its numbers (Linux, net/sunrpc/stats.c).

Lines of procedures begin with how many follow.  A kernel of another version knows fewer or more of them,
always at the end.  RFC 1094 and RFC 1813 name the procedures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from monitor.collect.table import Cell, Entry, Table, is_number
from monitor.model import Metric

Lines = Mapping[str, Sequence[Entry | None]]
"""What the numbers of each line are, by its name; None for one that is not wanted."""
VERSION_2 = (
    "Null GetAttr SetAttr Root Lookup ReadLink Read WrCache Write Create Remove Rename Link SymLink MkDir "
    "RmDir ReadDir FsStat"
)
VERSION_3 = (
    "Null GetAttr SetAttr Lookup Access ReadLink Read Write Create MkDir SymLink MkNod Remove RmDir "
    "Rename Link ReadDir ReadDirPlus FsStat FsInfo PathConf Commit"
)


def procedures(metric: Metric, version: str, names: str) -> Sequence[Entry | None]:
    """The entries of a line of procedures; those named `-` are not wanted."""
    methods = names.split()
    return [None, *(None if name == "-" else metric.at(proto=version, method=name) for name in methods)]


def rpc_table(lines: Lines) -> Table:
    """Turns such a table into a block."""

    def cells(words: list[str]) -> Iterator[Cell]:
        starts = [place for place, word in enumerate(words) if not is_number(word)]
        for start, end in pairwise([*starts, len(words)]):
            for place, entry in zip(range(start + 1, end), lines.get(words[start], ()), strict=False):
                if entry:
                    yield Cell(entry, place)

    return Table(cells)
