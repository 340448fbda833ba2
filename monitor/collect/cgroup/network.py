"""Traffic of containers: /proc/<pid>/net/dev of a process in each (Linux, net/core/net-procfs.c).

A network namespace is told by the number of that file, which is another in each of them (fs/proc/proc_net.c);
unlike /proc/<pid>/ns/net, everybody may see it.  A container in the host's namespace has no traffic of its
own, and one that several share, as in a pod, is told under the first of them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from monitor.collect.cgroup.files import FLAGS, Counts, content
from monitor.collect.cgroup.metrics import TRAFFIC, Key

TRIED = 3
"""Processes of a container that are tried: one may have ended since they were listed."""
INTERFACES = 16
"""Interfaces of one container that are told."""
LEFT_OUT = ("lo", "veth", "docker", "nerdctl")
"""How the names of those begin that cAdvisor leaves out."""
HEAD = 2
"""Lines that name the columns."""


class Traffic:
    """Which process and which namespace stand for a container, from one look to the next."""

    def __init__(self, procfs: str) -> None:
        self._procfs = procfs
        self._host = 0
        self._processes: dict[str, str] = {}
        """By path of the group."""
        self._namespaces: dict[str, int] = {}
        """Those that are told, by path of the group."""

    def look(self, paths: Collection[str]) -> None:
        """Begin a look at the containers with these paths, and forget others."""
        self._host = number(f"{self._procfs}/1/net/dev") or number(f"{self._procfs}/net/dev")
        self._processes = {path: held for path, held in self._processes.items() if path in paths}
        self._namespaces = {path: held for path, held in self._namespaces.items() if path in paths}

    def counted(self, path: str, members: list[str]) -> Counts:
        """What each interface of a container counted, by one of its processes; nothing where none tells."""
        before = self._processes.pop(path, "")
        self._namespaces.pop(path, 0)
        taken = {self._host, *self._namespaces.values()}
        known = [before] if before in members else []
        for process in islice([*known, *(each for each in members if each != "0")], TRIED):
            namespace, text = self._read(process, taken)
            if namespace:
                self._processes[path] = process
                if namespace not in taken:
                    self._namespaces[path] = namespace
                return dict(counts(text.splitlines()[HEAD:]))
        return {}

    def _read(self, process: str, taken: set[int]) -> tuple[int, str]:
        """The namespace of a process, and what its interfaces counted, which is not read where the namespace
        is not for this container to tell; 0 for a process that is gone."""
        try:
            descriptor = os.open(f"{self._procfs}/{process}/net/dev", FLAGS)
        except OSError:
            return 0, ""
        try:
            namespace = os.fstat(descriptor).st_ino
            return namespace, "" if namespace in taken else content(descriptor)
        except OSError:
            return 0, ""
        finally:
            os.close(descriptor)


def number(path: str) -> int:
    """The number of a file; 0 where it cannot be seen."""
    try:
        return os.stat(path).st_ino  # noqa: PTH116
    except OSError:
        return 0


def counts(lines: Iterable[str]) -> Iterator[tuple[Key, float]]:
    """The counters of each interface."""
    wanted = (line.strip().partition(":") for line in lines)
    told = ((name, rest.split()) for name, _, rest in wanted if not name.startswith(LEFT_OUT))
    for name, words in islice(told, INTERFACES):
        for metric, column in TRAFFIC.items():
            yield (metric, name), float(words[column])
