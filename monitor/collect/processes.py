"""How many processes and threads there are, and in which state: /proc/<pid>/stat and its threads' (proc(5)).

A file for each thread is read, so it goes by turns with what else there is to do.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

EVERY = 5.0
TIMEOUT = 10.0
TURN = 20
"""Processes that are read between two turns of the event loop."""
GONE = (FileNotFoundError, ProcessLookupError)
PIDS = Metric("node_processes_pids", Kind.GAUGE, "Processes.")
MOST_PIDS = Metric("node_processes_max_processes", Kind.GAUGE, "Greatest number of a process.")
THREADS = Metric("node_processes_threads", Kind.GAUGE, "Threads.")
MOST_THREADS = Metric("node_processes_max_threads", Kind.GAUGE, "Threads that may be.")
STATE = Metric("node_processes_state", Kind.GAUGE, "Processes in a state (D R S T Z and others of proc(5)).")
THREAD_STATE = Metric("node_processes_threads_state", Kind.GAUGE, "Threads in a state.")

Key = tuple[Metric, str]
"""A metric, and the state that it is about."""


class Processes:
    def __init__(self, every: float = EVERY) -> None:
        self.every = every
        self.limit = TIMEOUT
        self._shape: Shape[Key] = Shape(entry)

    async def refresh(self, host: Host) -> list[Block]:
        """Count them all."""
        states: Counter[str] = Counter()
        thread_states: Counter[str] = Counter()
        threads = 0
        listed = [name for name in host.names(host.procfs) if name.isdigit()]
        for number, pid in enumerate(listed):
            if number % TURN == 0:
                await asyncio.sleep(0)
            found = process(host, pid)
            states.update(found[:1])
            threads += len(found[1:])
            thread_states.update(found[1:])
        totals: dict[Key, float] = {
            (PIDS, ""): states.total(),
            (MOST_PIDS, ""): float(host.proc("sys/kernel/pid_max")),
            (THREADS, ""): threads,
            (MOST_THREADS, ""): float(host.proc("sys/kernel/threads-max")),
        }
        totals |= {(STATE, state): float(count) for state, count in sorted(states.items())}
        totals |= {(THREAD_STATE, state): float(count) for state, count in sorted(thread_states.items())}
        return [self._shape.block(totals)]

    async def close(self) -> None:
        """Nothing is held."""


def process(host: Host, pid: str) -> str:
    """The states of a process and then of each of its threads, a letter each; nothing where it is gone."""
    folder = f"{host.procfs}/{pid}"
    with suppress(*GONE), host.passing():
        own = state(host, folder)
        return own and own + "".join(
            state(host, f"{folder}/task/{thread}") for thread in host.names(f"{folder}/task")
        )
    return ""


def state(host: Host, folder: str) -> str:
    """The letter behind the name, which stands in brackets and may hold any character; none where it is
    gone."""
    try:
        text = host.read(f"{folder}/stat").decode(errors="replace")
    except GONE:
        return ""
    return text.rpartition(") ")[2][:1]


def entry(key: Key) -> Entry:
    metric, letter = key
    labels = {STATE: {"state": letter}, THREAD_STATE: {"thread_state": letter}}
    return metric.at(**labels.get(metric, {}))
