"""/api/v1/processes: the processes that were at the top at a past moment, as a table."""

import json
from collections.abc import Sequence
from typing import Any

from monitor.promql import depth_of, parse, select_samples
from monitor.promql.evaluate import Samples
from monitor.server.api import Question, check_size

NAMES = {
    "monitor_process_cpu_ratio": "cpu",
    "monitor_process_resident_memory_bytes": "memory",
    "monitor_process_read_bytes_per_second": "read",
    "monitor_process_write_bytes_per_second": "write",
    "monitor_process_threads": "threads",
}
"""Column of each metric."""
COLUMNS = ("pid", "start", "command", "user", "unit", *NAMES.values())
"""As in the live table (docs/protocol.md), without what is not kept."""
WINDOW = "2m"
"""How long before the moment the samples may be: two of the longest intervals between them."""
QUERY = f'{{__name__=~"{"|".join(NAMES)}",job="processes"}}[{WINDOW}]'


class PastProcesses(Question):
    """Those of the newest samples up to `time`; `data.time` is theirs, null where there are none."""

    async def data(self) -> str:
        at, bounds = self.time_of("time", round(self.clock() * 1000)), self.bounds()
        query = parse(QUERY)
        return await self.answered(
            depth_of([query]).ends(at, at),
            bounds.seconds,
            lambda storage: told(select_samples(query, storage, at, bounds)),
        )


def told(found: Sequence[Samples]) -> str:
    """The rows of the newest time, those that were busiest first, as JSON."""
    check_size(sum(len(one.values) for one in found))
    newest = max((int(one.timestamps[-1]) for one in found), default=None)
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for one in found:
        if int(one.timestamps[-1]) == newest:
            labels = dict(one.labels)
            identity = labels.get("instance", ""), labels.get("pid", ""), labels.get("start", "")
            row = rows.setdefault(identity, named(labels))
            row[NAMES[labels["__name__"]]] = float(one.values[-1])
    table = [[row.get(column) for column in COLUMNS] for row in rows.values()]
    place = COLUMNS.index("cpu")
    table.sort(key=lambda row: -(row[place] or 0.0))
    time = None if newest is None else newest / 1000
    return json.dumps({"time": time, "columns": COLUMNS, "rows": table})


def named(labels: dict[str, str]) -> dict[str, Any]:
    """What the labels tell; `start` in ms."""
    told: dict[str, Any] = {name: labels.get(name, "") for name in ("command", "user", "unit")}
    numbers = {name: labels.get(name, "") for name in ("pid", "start")}
    pid, start = (int(text) if text.isdigit() else None for text in numbers.values())
    return told | {"pid": pid, "start": None if start is None else start * 1000}
