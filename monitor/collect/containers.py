"""Containers and systemd units by their control groups, of version 2 or 1, with cAdvisor's names.

`id` is the path of the group; containers have `name` and `image`, too, where Docker or Podman tells them, and
`unit` is what the groups of processes call it.  Numbers hold the groups below, such as containers of a unit.
Containers with a network of their own have its traffic, too.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path

from monitor.collect.cgroup.engine import SOCKETS, TIMEOUT, Engine, Names
from monitor.collect.cgroup.files import Devices
from monitor.collect.cgroup.legacy import Legacy
from monitor.collect.cgroup.metrics import ALWAYS, KILLED, LABELS, SEEN, Key
from monitor.collect.cgroup.network import Traffic
from monitor.collect.cgroup.place import Place
from monitor.collect.cgroup.unified import Unified
from monitor.collect.host import Host
from monitor.collect.kmsg import heard
from monitor.collect.process.place import SHORT
from monitor.collect.shape import Shape
from monitor.collect.table import Entry, layout
from monitor.model import Block, Event, Kind, Metric

EVERY, GROUPS = 5.0, 60
LISTED = 30.0
"""Seconds after which the groups are listed again even where nothing tells of a change."""
TOGETHER = 16
"""Groups that are read between two turns of the event loop."""
FOUND = Metric("monitor_container_groups", Kind.GAUGE, "Containers and units that there are.")
LEFT = Metric(
    "monitor_container_groups_left_out", Kind.GAUGE, "Containers and units beyond the bound, not measured."
)
ENGINE = Metric("monitor_container_engine_up", Kind.GAUGE, "Whether Docker or Podman told names when asked.")


class Containers:
    """At most `groups` of them, containers first; names are asked for at `sockets` below the host's root."""

    def __init__(
        self,
        every: float = EVERY,
        groups: int = GROUPS,
        sockets: Sequence[Path] = SOCKETS,
        timeout: float = TIMEOUT,
    ) -> None:
        self.every = every
        self.limit = 5.0 + 2 * timeout
        self._most = groups
        self._sockets = tuple(map(str, sockets))
        self._timeout = timeout
        self._engine: Engine | None = None
        self._tree: Unified | Legacy | None = None
        self._traffic: Traffic | None = None
        self._groups: dict[Place, Group] = {}
        self._left = 0
        self._listed = -inf
        self._number = ""
        self._events: list[Event] = []

    async def refresh(self, host: Host) -> list[Block]:
        """Read all groups.  Raises FileNotFoundError where there are none."""
        tree = self._tree = self._tree or hierarchy(host)
        self._list(tree, host.now)
        if not self._groups:
            raise FileNotFoundError(errno.ENOENT, "no containers and no units", "control groups")
        engine = self._engine = self._engine or Engine(list(map(host.root, self._sockets)), self._timeout)
        containers = {place.path: place.container for place in self._groups if place.container}
        engine.want(containers.values())
        traffic = self._traffic = self._traffic or Traffic(host.procfs)
        traffic.look(containers)
        await engine.settled()
        blocks = []
        for number, group in enumerate(list(self._groups.values())):
            if number % TOGETHER == TOGETHER - 1:
                await asyncio.sleep(0)
            if (block := group.block(tree, traffic, engine.known, host.now)) is not None:
                blocks.append(block)
                self._note(group, host)
            else:
                self._listed = -inf  # It is gone.
        return [*blocks, self._about(engine)]

    def happened(self) -> list[Event]:
        """Processes killed for memory since it was asked last, where the kernel's messages do not tell."""
        events, self._events = self._events, []
        return events

    def _note(self, group: Group, host: Host) -> None:
        if group.killed and not heard(host):
            now = round(host.now * 1000)
            text = f"processes killed, as no memory was left in {group.place.unit}: {group.killed:g}"
            self._events.append(Event(now, now, "oom", text))

    async def close(self) -> None:
        """Give up an open question to Docker or Podman."""
        if self._engine:
            await self._engine.close()

    def _list(self, tree: Unified | Legacy, now: float) -> None:
        number = tree.number()
        if number == self._number and now < self._listed + LISTED:
            return
        self._number, self._listed = number, now
        found = sorted(tree.places(), key=lambda place: (not place.container, place.path))
        self._left = max(len(found) - self._most, 0)
        self._groups = {place: self._groups.get(place) or Group(place) for place in found[: self._most]}

    def _about(self, engine: Engine) -> Block:
        known = {FOUND.at(): float(len(self._groups) + self._left), LEFT.at(): float(self._left)}
        known |= {ENGINE.at(socket=path): float(good) for path, good in engine.answers.items()}
        return Block(layout(tuple(known)), list(known.values()))


class Group:
    """One container or unit, and the series that it has."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.killed = 0.0
        """Processes killed for memory since the look before."""
        self._kills: float | None = None
        self._labels: dict[str, str] = {}
        self._shape: Shape[Key] = Shape(self._entry)

    def block(
        self, tree: Unified | Legacy, traffic: Traffic, names: dict[str, Names], now: float
    ) -> Block | None:
        """What it used by now (Unix seconds); None where it is gone."""
        values = tree.measured(self.place.path)
        if not values:
            return None
        if self.place.container:
            values |= traffic.counted(self.place.path, tree.members(self.place.path))
        kills = values.get((KILLED, ""), 0.0)
        self.killed = max(kills - self._kills, 0.0) if self._kills is not None else 0.0
        self._kills = kills
        labels = dict(labelled(self.place, names))
        if labels != self._labels:
            self._labels, self._shape = labels, Shape(self._entry)
        return self._shape.block({(SEEN, ""): now} | values)

    def _entry(self, key: Key) -> Entry:
        metric, more = key
        besides = {LABELS[metric]: more} if more else {}
        return metric.at(**self._labels, **besides, **ALWAYS.get(metric, {}))


def labelled(place: Place, names: dict[str, Names]) -> Iterator[tuple[str, str]]:
    """The labels of a group; a container whose name nobody tells has the short one of its id."""
    yield "id", place.path
    yield "unit", place.unit
    if place.container:
        short = place.container[:SHORT] if len(place.container) == 64 else place.container
        known = names.get(place.container, Names(short))
        yield "name", known.name
        if known.image:
            yield "image", known.image


def hierarchy(host: Host) -> Unified | Legacy:
    """The groups of a host.  Raises FileNotFoundError where no control groups are mounted."""
    root = f"{host.sysfs}/fs/cgroup"
    devices = Devices(host.sysfs)
    if Path(root, "cgroup.controllers").exists():
        return Unified(root, devices)
    if Path(root, "cpuacct").exists() or Path(root, "memory").exists():
        return Legacy(root, devices)
    raise FileNotFoundError(errno.ENOENT, "no control groups", root)
