"""Processes in groups by name and unit, with process-exporter's names: proc(5), read by process/scan.py.

`groupname` is the name of the program as the kernel keeps it (15 characters), `unit` its systemd unit or
container, so that sums over either count nobody twice.  The groups beyond a bound are `other` together.
Counters hold what members that have ended had used, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, nan

from monitor.collect.host import Host
from monitor.collect.process.group import Group
from monitor.collect.process.process import STATES, TICKS
from monitor.collect.process.scan import KEPT, Scan
from monitor.collect.table import Entry, layout
from monitor.model import Block, Kind, Metric

INTERVAL, BUDGET, GROUPS = 5.0, 0.01, 40
HISTORY, TOP = 10.0, 10
AT_ONCE = 0.006
"""Seconds of CPU time that meeting new processes may take of a pass, as the event loop waits."""


def metric(field: str, kind: Kind, text: str, unit: str = "") -> Metric:
    return Metric(f"namedprocess_namegroup_{field}", kind, text, unit)


NUMBER = metric("num_procs", Kind.GAUGE, "Processes in a group.")
THREADS = metric("num_threads", Kind.GAUGE, "Threads in a group.")
STATE = metric("states", Kind.GAUGE, "Processes in a group by the state of their first thread.")
CPU = metric("cpu_seconds_total", Kind.COUNTER, "CPU time that a group has used.", "seconds")
MEMORY = metric("memory_bytes", Kind.GAUGE, "Memory of a group; what members share counts for each.", "bytes")
MINOR = metric("minor_page_faults_total", Kind.COUNTER, "Page faults without a read from storage.")
MAJOR = metric("major_page_faults_total", Kind.COUNTER, "Page faults that had to read from storage.")
OLDEST = metric(
    "oldest_start_time_seconds", Kind.GAUGE, "When the oldest member started, Unix time.", "seconds"
)
READ = metric("read_bytes_total", Kind.COUNTER, "Bytes that a group had read from storage.", "bytes")
WRITTEN = metric("write_bytes_total", Kind.COUNTER, "Bytes that a group had written to storage.", "bytes")
SWITCHES = metric("context_switches_total", Kind.COUNTER, "Context switches of members' first threads.")
FILES = metric("open_filedesc", Kind.GAUGE, "Files that a group has open.")

SEEN = Metric("monitor_processes", Kind.GAUGE, "Processes that are seen.")
WHOLE = Metric("monitor_processes_whole", Kind.GAUGE, "1 where the processes of all users are seen.")
COST = Metric(
    "monitor_process_scan_seconds", Kind.GAUGE, "CPU time of the newest look at all processes.", "seconds"
)
EVERY = Metric(
    "monitor_process_scan_interval_seconds", Kind.GAUGE, "Time between the two newest looks.", "seconds"
)
SLOWED = Metric("monitor_process_scan_slowed", Kind.GAUGE, "1 while looks are put off to stay in the budget.")
ABOUT = (SEEN.at(), WHOLE.at(), COST.at(), EVERY.at(), SLOWED.at())
WORDS = (*dict.fromkeys(STATES.values()), "Other")

Shape = tuple[str, str, bool, bool, bool]
"""Name and unit of a group, and whether it has bytes, switches, open files."""


class ProcessGroups:
    """All processes every `interval` seconds, in each pass while somebody watches them one by one.

    `budget` is the CPU time that looking may take in a second: what takes more is done less often.  `groups`
    is how many have a name, `kept` how many files may stay open.  `history` and `top` are for who keeps those
    at the top (process/tops.py).
    """

    def __init__(
        self,
        interval: float = INTERVAL,
        budget: float = BUDGET,
        groups: int = GROUPS,
        history: float = HISTORY,
        top: int = TOP,
        kept: int = KEPT,
        clock: Callable[[], float] = time.monotonic,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        self.scan = Scan(groups, kept, clock, AT_ONCE, spent)
        self.watched = False
        """Set by who shows processes, each time: the next pass looks at them."""
        self.cost = 0.0
        """CPU time of the newest look, in seconds."""
        self.slowed = False
        """Whether the newest look was put off to stay in the budget."""
        self.history = history
        """Seconds between two samples of those at the top."""
        self.top = top
        self._interval = interval
        self._halved = 2 * interval <= history
        self._budget = budget
        self._spent = spent
        self._looked = -inf
        self._put_off = False
        self._shapes: tuple[Shape, ...] = ()
        self._layout = layout(())
        self._blocks: Sequence[Block] = ()

    def collect(self, host: Host) -> Iterable[Block]:
        """The groups as they were at the last look; nothing before all have been met at first, as until then
        it is not known what a group has used."""
        if not self.scan.finished:
            self.scan.meet(host)
        since = host.now - self._looked
        if not self.scan.finished and not self._blocks:
            return ()
        if since < (0 if self.watched else self._interval):
            return self._blocks
        if since < self.cost / self._budget:
            self._put_off = True
            return self._blocks
        began = self._spent()
        # Watched or kept one by one they are all looked at; else what sleeps in the kernel every other time.
        self.scan.look(host, self.watched or not self._halved or not self.scan.thorough)
        self.cost = self._spent() - began
        self.slowed, self._put_off = self._put_off, False
        self._looked, self.watched = host.now, False
        self._blocks = (self._about(), self._grouped())
        return self._blocks

    def close(self) -> None:
        """Close every file; a later look begins as the first did."""
        self.scan.close()
        self._blocks, self._looked = (), -inf

    def _about(self) -> Block:
        scan = self.scan
        known = (len(scan.living), scan.whole, self.cost, scan.elapsed, self.slowed)
        return Block(layout(ABOUT), [*map(float, known)])

    def _grouped(self) -> Block:
        book = self.scan.book
        other = [book.other] if book.full else []
        groups = [*book.groups.values(), *other]
        shapes = tuple(map(shape, groups))
        if shapes != self._shapes:
            self._shapes = shapes
            self._layout = layout(tuple(entry for each in shapes for entry in entries(each)))
        return Block(self._layout, [value for group in groups for value in values(group, self.scan.booted)])


def shape(group: Group) -> Shape:
    parts = group.read is not None, group.voluntary is not None, group.fds is not None
    return group.name, group.unit, *parts


def entries(shape: Shape) -> Iterator[Entry]:
    """The series of a group, in the order of its values."""
    name, unit, has_bytes, has_switches, has_files = shape
    labels = {"groupname": name} | ({"unit": unit} if unit else {})
    yield from (each.at(**labels) for each in (NUMBER, THREADS, OLDEST, MINOR, MAJOR))
    yield from (STATE.at(state=state, **labels) for state in WORDS)
    yield from (CPU.at(mode=mode, **labels) for mode in ("user", "system"))
    yield from (MEMORY.at(memtype=kind, **labels) for kind in ("resident", "virtual", "swapped"))
    if has_bytes:
        yield from (READ.at(**labels), WRITTEN.at(**labels))
    if has_switches:
        yield from (SWITCHES.at(ctxswitchtype=kind, **labels) for kind in ("voluntary", "nonvoluntary"))
    if has_files:
        yield FILES.at(**labels)


def values(group: Group, booted: int) -> list[float]:
    """As `entries`; `booted` is Unix time in seconds."""
    oldest = booted + group.oldest / TICKS if group.number else nan
    found = [group.number, group.threads, oldest, group.minor, group.major]
    found += [group.states.get(state, 0) for state in WORDS]
    found += (group.user / TICKS, group.system / TICKS, group.resident, group.virtual, group.swapped)
    if group.read is not None and group.written is not None:
        found += (group.read, group.written)
    if group.voluntary is not None:
        found += (group.voluntary, group.involuntary)
    if group.fds is not None:
        found.append(group.fds)
    return found
