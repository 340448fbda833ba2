"""Units of systemd and their states, asked of its manager over D-Bus (org.freedesktop.systemd1(5)).

A bus that accepts and never answers is given up after a while; the other collectors do not wait for it.  A
unit that has failed since the look before is an event, where the journal does not tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from monitor.collect.dbus import Bus, BusError, Call, connected
from monitor.collect.host import Host
from monitor.collect.journald.follow import readable
from monitor.collect.journald.troubles import Troubles
from monitor.collect.table import Entry, layout
from monitor.model import Block, Event, Kind, Metric

SOCKET = "/run/dbus/system_bus_socket"
EVERY = 15.0
TIMEOUT = 5.0
REMEMBERED = 40
"""Questions after which the types of units are asked again."""
INCLUDE = ".+"
EXCLUDE = r".+\.(automount|device|mount|scope|slice)"
SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "/org/freedesktop/systemd1"
VERSION_NUMBER = re.compile(r"\d{3,}(\.\d+)?")
UNKNOWN = 2**64 - 1
"""Where there is no limit, or nothing is counted."""


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_systemd_{field}", Kind.GAUGE, text, unit)


STATES = ("active", "activating", "deactivating", "inactive", "failed")
STATE = gauge("unit_state", "Whether a unit is in a state.")
UNITS = gauge("units", "Units in a state.")
RUNNING = gauge("system_running", "Whether all is in order (systemctl is-system-running).")
VERSION = gauge("version", "Version of systemd.")
VIRTUALIZATION = gauge("virtualization_info", "Always 1; what kind of virtual machine or container this is.")
MILLION = 1e6


class Property(NamedTuple):
    """A property of units of a type, and its metric."""

    type: str
    name: str
    metric: Metric
    per: float = 1
    option: str = ""
    """The option that it is asked for with; empty for always."""


PROPERTIES = (
    Property(
        "Timer",
        "LastTriggerUSec",
        gauge("timer_last_trigger_seconds", "When a timer elapsed last, in Unix time.", "seconds"),
        MILLION,
    ),
    Property(
        "Socket",
        "NAccepted",
        Metric("node_systemd_socket_accepted_connections_total", Kind.COUNTER, "Connections accepted."),
    ),
    Property("Socket", "NConnections", gauge("socket_current_connections", "Connections open.")),
    Property("Socket", "NRefused", gauge("socket_refused_connections_total", "Connections refused.")),
    Property(
        "Service",
        "NRestarts",
        Metric("node_systemd_service_restart_total", Kind.COUNTER, "Times that Restart= took effect."),
        option="restarts",
    ),
    Property("Service", "TasksCurrent", gauge("unit_tasks_current", "Tasks of a unit."), option="tasks"),
    Property("Service", "TasksMax", gauge("unit_tasks_max", "Most tasks of a unit."), option="tasks"),
    Property(
        "Unit",
        "ActiveEnterTimestamp",
        gauge(
            "unit_start_time_seconds",
            "When a unit became active, in Unix time; 0 for one that is not.",
            "seconds",
        ),
        MILLION,
        "start_times",
    ),
)
TYPED = ("Service", "Mount")
"""Types of units that have types of their own."""


class Unit(NamedTuple):
    name: str
    state: str
    path: str

    @property
    def type(self) -> str:
        """`Service` of `cron.service`: the last part of the name of its interface."""
        return self.name.rpartition(".")[2].capitalize()


class Systemd:
    """The units whose whole names match `units_include` and not `units_exclude`."""

    def __init__(
        self,
        every: float = EVERY,
        timeout: float = TIMEOUT,
        units_include: str = INCLUDE,
        units_exclude: str = EXCLUDE,
        restarts: bool = False,
        tasks: bool = False,
        start_times: bool = False,
    ) -> None:
        self.every = every
        self.limit = timeout
        self._include, self._exclude = re.compile(units_include), re.compile(units_exclude)
        options = {"restarts": restarts, "tasks": tasks, "start_times": start_times}
        self._properties = [each for each in PROPERTIES if options.get(each.option, True)]
        self._types: dict[str, str] = {}
        self._asked = 0
        self._failed: set[str] | None = None
        """Units that had failed at the look before."""
        self._troubles = Troubles()
        self._now = 0

    async def refresh(self, host: Host) -> list[Block]:
        """Ask the manager; at most `limit` seconds.  Raises OSError where the bus or the manager does not
        answer as it should."""
        async with connected(host.root(SOCKET)) as bus:
            found = [*await system(bus), *await self._units(bus, host)]
        return [Block(layout(tuple(entry for entry, _ in found)), [value for _, value in found])]

    def happened(self) -> list[Event]:
        """Units that failed since it was asked last, where the journal does not tell."""
        return self._troubles.told(self._now)

    async def close(self) -> None:
        """Nothing is held."""

    def _note(self, units: Sequence[Unit], host: Host) -> None:
        self._now = round(host.now * 1000)
        before, self._failed = self._failed, {unit.name for unit in units if unit.state == "failed"}
        new = self._failed - before if before is not None else set()
        if new and not readable(host):
            for name in sorted(new):
                self._troubles.note(self._now, "failed", name, "")

    async def _units(self, bus: Bus, host: Host) -> list[tuple[Entry, float]]:
        (listed,) = await bus.call(Call(SYSTEMD, MANAGER, f"{SYSTEMD}.Manager", "ListUnits"))
        counts = dict.fromkeys(STATES, 0)
        for unit in listed:
            counts[unit[3]] = counts.get(unit[3], 0) + 1
        wanted = [
            Unit(each[0], each[3], each[6])
            for each in listed
            if each[2] == "loaded" and self._wanted(each[0])
        ]
        self._note(wanted, host)
        await self._learn(bus, wanted)
        return [
            *((UNITS.at(state=state), float(count)) for state, count in counts.items()),
            *(
                (
                    STATE.at(name=unit.name, state=state, type=self._types.get(unit.name, "")),
                    float(unit.state == state),
                )
                for unit in wanted
                for state in STATES
            ),
            *await self._measured(bus, wanted),
        ]

    def _wanted(self, name: str) -> bool:
        return bool(self._include.fullmatch(name)) and not self._exclude.fullmatch(name)

    async def _learn(self, bus: Bus, units: Sequence[Unit]) -> None:
        """Ask for the types of units that are new; they hardly ever change."""
        names = {unit.name for unit in units}
        fresh = self._asked % REMEMBERED == 0
        self._asked += 1
        self._types = {} if fresh else {name: kind for name, kind in self._types.items() if name in names}
        new = [unit for unit in units if unit.type in TYPED and unit.name not in self._types]
        kinds = await values(bus, [(unit.path, unit.type, "Type") for unit in new])
        self._types |= {
            unit.name: str(kind) for unit, kind in zip(new, kinds, strict=True) if kind is not None
        }

    async def _measured(self, bus: Bus, units: Sequence[Unit]) -> list[tuple[Entry, float]]:
        """What the properties of the units say; one that is gone meanwhile is left out."""
        pairs = [
            (unit, each) for unit in units for each in self._properties if each.type in (unit.type, "Unit")
        ]
        found = await values(bus, [(unit.path, each.type, each.name) for unit, each in pairs])
        return list(measured(pairs, found))


def measured(pairs: Sequence[tuple[Unit, Property]], found: Sequence[Any]) -> Iterator[tuple[Entry, float]]:
    """The series of properties; a unit that is not active has begun at 0."""
    for (unit, each), value in zip(pairs, found, strict=True):
        if each.type == "Unit" and unit.state != "active":
            yield each.metric.at(name=unit.name), 0.0
        elif isinstance(value, int) and value != UNKNOWN:
            yield each.metric.at(name=unit.name), value / each.per


async def system(bus: Bus) -> list[tuple[Entry, float]]:
    """What the manager says of itself."""
    names = ("Version", "Virtualization", "SystemState")
    version, virtualization, state = await values(bus, [(MANAGER, "Manager", name) for name in names])
    if not isinstance(version, str):
        raise BusError(f"{SYSTEMD}: a version expected of the manager; is systemd running?")
    number = VERSION_NUMBER.search(version)
    return [
        (VERSION.at(version=version), float(number[0]) if number else 0.0),
        (VIRTUALIZATION.at(virtualization_type=str(virtualization or "none")), 1.0),
        (RUNNING.at(), float(state == "running")),
    ]


async def values(bus: Bus, wanted: Sequence[tuple[str, str, str]]) -> list[Any]:
    """Values of properties by object path, last part of the interface, and name; None for one that is not."""
    calls = [
        Call(SYSTEMD, path, "org.freedesktop.DBus.Properties", "Get", (f"{SYSTEMD}.{kind}", name))
        for path, kind, name in wanted
    ]
    return [answer[0] if isinstance(answer, list) and answer else None for answer in await bus.ask(calls)]
