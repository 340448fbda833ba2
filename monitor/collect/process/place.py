"""Where a process belongs, by its control group (cgroups(7), systemd.unit(5)).

/proc/<pid>/cgroup has a line `<number>:<controllers>:<path>` for each hierarchy; number 0 is version 2's,
`name=systemd` systemd's own in version 1.
"""

from __future__ import annotations

import re
from functools import lru_cache

from monitor.collect.process.process import shown

CONTAINER = re.compile(
    r"(?:^|/)(?:(docker|libpod|crio|cri-containerd)[-/])?([0-9a-f]{64})(?:\.scope)?(?:/|$)"
)
"""A container's part of the path, as the runtimes make it with systemd and without."""
UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)")
SHORT = 12
"""Digits of a container's name that people use."""


@lru_cache(1024)
def unit_of(text: bytes) -> str:
    """The systemd unit, or the runtime and short name of the container; empty for neither.

    Sessions are named by their user's slice: there is a new one for every log-in.
    """
    path = path_of(text)
    if containers := CONTAINER.findall(path):
        runtime, name = containers[-1]
        return f"{runtime}-{name[:SHORT]}" if runtime else name[:SHORT]
    before = ""
    for part in path.split("/"):
        if UNIT.fullmatch(part):
            return before if part.startswith("session-") and before else part
        before = part
    return ""


def path_of(text: bytes) -> str:
    """The path in the hierarchy that systemd keeps, or where it is not here in the unified one."""
    paths = {}
    for line in map(shown, text.splitlines()):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        paths[controllers or number] = path
    return (
        next((path for path in (paths.get("name=systemd"), paths.get("0")) if path not in (None, "/")), "")
        or ""
    )
