"""Which control groups are containers and units, by their paths (cgroups(7), systemd.unit(5)).

A container is named by its runtime, a unit by systemd.  Units in a container are the container's, and what
is below a unit belongs to it; a user is one unit, whatever sessions and services there are of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from monitor.collect.process.place import CONTAINER, SHORT, UNIT

LXC = re.compile(r"(?:^|/)lxc(?:\.payload\.|/)([^/]+)$")
USER = re.compile(r"user-\d+\.slice")
HELPER = re.compile(r"(?:libpod|crio|cri-containerd)-conmon-.*|lxc\.monitor\..*")
"""What runs beside a container to watch it."""
DEPTH = 16
MOST = 20_000
"""Groups that are looked at; no host has as many."""


class Place(NamedTuple):
    """A control group that is measured."""

    path: str
    """Below the root of the hierarchy, with a slash at its start."""
    unit: str
    """What the groups of processes call it: a systemd unit, or the runtime and short id of a container."""
    container: str = ""
    """The id of a container, or the name of one that has no other; empty for a unit."""


def container_of(path: str) -> Place | None:
    """The container that a path ends with."""
    if (lxc := LXC.search(path)) is not None:
        return Place(path, f"lxc-{lxc[1]}", lxc[1])
    found = list(CONTAINER.finditer(path))
    if not found or found[-1].end() != len(path):
        return None
    runtime, name = found[-1].groups()
    short = name[:SHORT]
    return Place(path, f"{runtime}-{short}" if runtime else short, name)


def unit_of(path: str) -> Place | None:
    """The unit, or the user, that a path ends with."""
    name = path.rpartition("/")[2]
    wanted = (UNIT.fullmatch(name) or USER.fullmatch(name)) and not HELPER.fullmatch(name)
    return Place(path, name) if wanted else None


def places(root: str) -> Iterator[Place]:
    """The containers and units of a hierarchy by its folder; groups that go meanwhile are left out."""
    waiting = [("", False, False)]  # Path, and whether it is in a container or a unit.
    seen = 0
    while waiting and seen < MOST:
        path, contained, owned = waiting.pop()
        for name in folders(root + path):
            seen += 1
            below = f"{path}/{name}"
            container = container_of(below)
            unit = None if contained or owned or container else unit_of(below)
            if place := container or unit:
                yield place
            if below.count("/") < DEPTH:
                waiting.append((below, contained or bool(container), owned or bool(unit)))


def folders(path: str) -> list[str]:
    """The names of the folders in one, sorted; none where it is gone or not for us."""
    try:
        with os.scandir(path) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
