"""The processes of this host, from the collector that looks at them to those who watch them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.access import Permission, Permissions
from monitor.collect import Background, Collector, Host
from monitor.collect.process.arguments import Arguments
from monitor.collect.process.process import Process
from monitor.collect.process.roster import COLUMNS, Roster, Wanted
from monitor.collect.process.tops import Tops
from monitor.collect.process.users import Users
from monitor.collect.process_groups import ProcessGroups
from monitor.formats.live import View
from monitor.model import Scrape
from monitor.stream.table import Rows

NAME = "process_groups"
JOB = "processes"
EARLY = 500
"""Milliseconds by which samples of those at the top may come before their time: a pass may be late."""
USERS = "/etc/passwd"


class Processes:
    """The table `processes`, and its history; `collectors` tells those that run now."""

    def __init__(
        self,
        host: Host,
        collectors: Callable[[], Mapping[str, Collector | Background]],
        accept: Callable[[Scrape], None],
        instance: str,
    ) -> None:
        """What is kept is given to `accept`, under the label `instance`."""
        self._collectors = collectors
        self._accept = accept
        self._target = (("instance", instance), ("job", JOB))
        self._kept_at = 0
        self._looks = 0
        self._tops: tuple[ProcessGroups, Tops] | None = None
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

    def keep(self, timestamp: int) -> None:
        """After a pass at that time, in ms: have those at the top kept, if it is time and they are news."""
        source = self.source
        if source is None or not source.top or source.scan.number == self._looks:
            return
        if not source.scan.thorough:
            return  # Some have used CPU since that is not known yet.
        if timestamp - self._kept_at < source.history * 1000 - EARLY:
            return
        self._kept_at, self._looks = timestamp, source.scan.number
        block = self._tops_of(source).block()
        if block is not None:
            self._accept(Scrape(timestamp, self._target, (block,)))

    def _tops_of(self, source: ProcessGroups) -> Tops:
        """They go on for as long as the collector does."""
        if self._tops is None or self._tops[0] is not source:
            roster = Roster(source.scan, self._users)
            self._tops = source, Tops(source.scan, roster, source.top)
        self._users.refresh(source.scan.at)
        return self._tops[1]

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
