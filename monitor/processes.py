"""The processes of this host, from the collector that looks at them to those who watch them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.access import Permission, Permissions
from monitor.collect import Background, Collector, Host
from monitor.collect.process.arguments import Arguments
from monitor.collect.process.process import Process
from monitor.collect.process.roster import COLUMNS, Roster, Wanted
from monitor.collect.process.users import Users
from monitor.collect.process_groups import ProcessGroups
from monitor.formats.live import View
from monitor.stream.table import Rows

NAME = "process_groups"
USERS = "/etc/passwd"


class Processes:
    """The table `processes`; `collectors` tells those that run now."""

    def __init__(self, host: Host, collectors: Callable[[], Mapping[str, Collector | Background]]) -> None:
        self._collectors = collectors
        self._users = Users(host.root(USERS))
        self._arguments = Arguments(host.procfs)

    @property
    def source(self) -> ProcessGroups | None:
        """The collector, while it is switched on."""
        found = self._collectors().get(NAME)
        return found if isinstance(found, ProcessGroups) else None

    def rows(self, may: Permissions, view: View) -> Rows:
        """The rows for those who may do this; the next pass looks at all processes again."""
        source = self.source
        if source is None:
            return Rows(COLUMNS, [], 0, {"off": 1})
        source.watched = True
        roster = Roster(source.scan, self._users)
        processes, total = roster.found(Wanted(*view))
        if Permission.ARGUMENTS in may:
            self._arguments.want(processes)
            rows = roster.rows(processes, self._arguments.of)
        else:
            rows = roster.rows(processes, hidden)
        return Rows(COLUMNS, rows, total, about(source))

    async def close(self) -> None:
        await self._arguments.close()


def hidden(_process: Process) -> None:
    """What those are shown of arguments who may not see them."""


def about(source: ProcessGroups) -> dict[str, float]:
    """What the page says of the looking itself."""
    scan = source.scan
    return {
        "interval": round(scan.elapsed * 1000),
        "cost": round(source.cost * 1000, 1),
        "slowed": int(source.slowed),
        "whole": int(scan.whole),
    }
