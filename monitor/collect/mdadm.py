"""Arrays of disks: /proc/mdstat, a line of the members and one of the size for each array, then what goes on.

md(4); Linux, drivers/md/md.c.  Blocks are of 1 KiB.  [8/7] [UUUU_UUU] are the disks wanted and there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric


def gauge(field: str, text: str) -> Metric:
    return Metric(f"node_md_{field}", Kind.GAUGE, text)


DISKS = gauge("disks", "Disks of an array in a state.")
REQUIRED = gauge("disks_required", "Disks that an array should have.")
BLOCKS = gauge("blocks", "Blocks of an array.")
SYNCED = gauge("blocks_synced", "Blocks of an array that are in step.")
STATE = gauge("state", "Whether an array is in a state.")
STATES = ("active", "inactive", "recovering", "resync", "check")
DOING = {"recovery": "recovering", "resync": "resync", "check": "check", "reshape": "reshape"}

ARRAY = re.compile(r"(\S+) : (active|inactive)((?: \([\w-]+\))?)(.*)")
MEMBER = re.compile(r"\[\d+\]((?:\(\w\))*)")
SIZE = re.compile(r"\s+(\d+) blocks")
COUNTS = re.compile(r"\[(\d+)/(\d+)\] \[([U_]+)\]")
GOING_ON = re.compile(r"(recovery|resync|check|reshape) ?=")
DONE = re.compile(r"\((\d+)/\d+\)")


class Array(NamedTuple):
    name: str
    state: str
    required: int
    active: int
    failed: int
    spare: int
    down: int
    blocks: int
    synced: int


class Mdadm(Devices):
    wanted = (("proc", ("mdstat",)),)

    def samples(self, tree: Tree) -> Samples:
        for array in arrays(tree.text("proc/mdstat")):
            device = array.name
            for state in ("active", "failed", "spare", "down"):
                yield DISKS.at(device=device, state=state), float(getattr(array, state))
            yield REQUIRED.at(device=device), float(array.required)
            yield BLOCKS.at(device=device), float(array.blocks)
            yield SYNCED.at(device=device), float(array.synced)
            for state in STATES:
                yield STATE.at(device=device, state=state), float(array.state == state)


def arrays(text: str) -> Iterator[Array]:
    """The arrays of the table.  Raises ValueError for one without its size."""
    lines = text.splitlines()
    starts = [place for place, line in enumerate(lines) if ARRAY.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        yield array(lines[start:end])


def array(lines: list[str]) -> Array:
    """One array out of its lines."""
    parts, size = ARRAY.match(lines[0]), SIZE.match("".join(lines[1:2]))
    if not parts or not size:
        raise ValueError(f"mdstat: an array and below it its blocks expected, found {lines[:2]}")
    flags = MEMBER.findall(parts[4])
    failed, spare = sum("(F)" in flag for flag in flags), sum("(S)" in flag for flag in flags)
    counts, active = COUNTS.search(lines[1]), parts[2] == "active"
    members = len(flags) - failed - spare if active else 0
    state, synced = going_on(lines[2:], int(size[1]))
    return Array(
        name=parts[1],
        state=(state or "active") if active else "inactive",
        required=int(counts[1]) if counts and active else members,
        active=int(counts[2]) if counts and active else members,
        failed=failed,
        spare=spare,
        down=counts[3].count("_") if counts and active else 0,
        blocks=int(size[1]),
        synced=synced,
    )


def going_on(lines: list[str], blocks: int) -> tuple[str, int]:
    """What an array does, empty for nothing, and its blocks that are in step."""
    for line in lines:
        if found := GOING_ON.search(line):
            done = DONE.search(line)
            return DOING[found[1]], int(done[1]) if done else 0
    return "", blocks
