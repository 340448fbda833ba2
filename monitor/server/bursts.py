"""/api/v1/burst: what was kept of the last minute, many times a second; and the way to keep it.

docs/http-api.md.  A burst is asked like history (`/query_range`), or given as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from monitor.access import Permission
from monitor.formats import answers
from monitor.model import Labels, Metric
from monitor.promql import Archive
from monitor.server.api import Events, Question, RangeQuery, check_size
from monitor.server.errors import Failure
from monitor.storage import Selection, Storage

LONGEST = 200
"""Characters of a reason."""
BODY = 4096
"""Bytes of a request to keep."""
EVER = 2**53
"""Milliseconds."""


class Still(Storage, Protocol):
    """A storage that nothing is added to."""

    def newest(self) -> int | None:
        """Time of the last row, in milliseconds."""


@dataclass(frozen=True)
class Burst:
    """What was kept, and why."""

    id: str
    reason: str
    time: int
    """When it was kept, in ms."""
    step: int
    """Milliseconds between two rows."""
    storage: Still

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.storage)

    def told(self) -> dict[str, Any]:
        """What a list says of it; times in Unix seconds."""
        start, end = self.storage.oldest() or 0, self.storage.newest() or 0
        about = {"id": self.id, "reason": self.reason, "time": self.time / 1000}
        return about | {"start": start / 1000, "end": end / 1000, "step": self.step / 1000}


class Keeper(Protocol):
    """Who has the bursts."""

    enabled: bool
    length: int
    interval: int

    @property
    def cost(self) -> float: ...

    @property
    def kept(self) -> Sequence[Burst]: ...

    def keep(self, reason: str) -> Burst | None: ...


class Held(Question):
    """A question about bursts."""

    takes_forms = False

    def initialize(
        self, archive: Archive, clock: Callable[[], float], events: Events, keeper: Keeper | None = None
    ) -> None:
        super().initialize(archive, clock, events)
        self.keeper: Keeper = keeper or Nobody()

    def burst(self, name: str) -> Burst:
        """Raises Failure where there is none of the name."""
        for each in self.keeper.kept:
            if each.id == name:
                return each
        raise Failure(404, "not_found", "There is no such burst; it may have been too old.")


class Bursts(Held):
    """Those that are kept, the newest first; what recording costs, as a share of a core."""

    changes = Permission.BURSTS

    async def data(self) -> str:
        keeper = self.keeper
        about = {"enabled": keeper.enabled, "length": keeper.length / 1000, "step": keeper.interval / 1000}
        kept = [each.told() for each in keeper.kept]
        return json.dumps({**about, "cost": round(keeper.cost, 6), "bursts": kept})

    def post(self) -> None:
        """Keep the last minute."""
        reason = reason_of(self.request.body)
        burst = self.keeper.keep(reason)
        if burst is None:
            text = "Nothing is recorded; collect.burst.enabled switches it on."
            raise Failure(409, "not_recorded", text)
        self.set_status(201)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(answers.success(json.dumps(burst.told())))


def reason_of(body: bytes) -> str:
    """The reason of a request to keep: `{"reason": "..."}`.  Raises Failure."""
    try:
        told = json.loads(body) if len(body) <= BODY else None
    except (ValueError, RecursionError):
        told = None
    reason = told.get("reason", "") if isinstance(told, dict) else None
    if not isinstance(reason, str) or len(reason) > LONGEST or not reason.isprintable():
        text = f'The body has to be {{"reason": "..."}}, in at most {LONGEST} printable characters.'
        raise Failure(400, "bad_data", text)
    return reason


class Whole(Held):
    """All that one burst has, in columns."""

    async def data(self) -> str:
        burst = self.burst(self.path_args[0])
        self.archive = burst.archive

        def told(storage: Storage) -> str:
            found = columns(storage.select((), -EVER, EVER), storage.metadata())
            return json.dumps({**burst.told(), **found})

        return await self.answered((-EVER, EVER), self.limits.seconds, told)


def columns(found: Iterable[Selection], metrics: dict[str, Metric]) -> dict[str, Any]:
    """Times in Unix seconds, and for each series its labels, its type and its values, null for none.

    Raises QueryError for more values than one answer may hold.
    """
    told: dict[str, Any] = {"times": [], "series": [], "values": []}
    for selection in found:
        values = selection.values.T
        check_size(values.size)
        told["times"] = [time / 1000 for time in selection.timestamps.tolist()]
        told["series"] += [named(labels, metrics) for labels in selection.series.labels]
        told["values"] += [
            [value if there else None for value, there in zip(row, has, strict=True)]
            for row, has in zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
        ]
    return told


def named(labels: Labels, metrics: dict[str, Metric]) -> dict[str, Any]:
    metric = metrics.get(dict(labels)["__name__"])
    return {"metric": dict(labels), "type": metric.kind if metric else "unknown"}


class BurstQuery(Held, RangeQuery):
    """The values of an expression over a grid of times within a burst."""

    takes_forms = True

    async def data(self) -> str:
        self.archive = self.burst(self.path_args[0]).archive
        return await super().data()


def routes(held: dict[str, Any], keeper: Keeper) -> list[tuple[str, type[Held], dict[str, Any]]]:
    """Held is what questions to the storage have."""
    told = {**held, "keeper": keeper}
    return [
        (r"/api/v1/burst", Bursts, told),
        (r"/api/v1/burst/([0-9a-f]+)", Whole, told),
        (r"/api/v1/burst/([0-9a-f]+)/query_range", BurstQuery, told),
    ]


class Nobody:
    """Where nothing is recorded."""

    enabled = False
    length = interval = 0
    cost = 0.0
    kept: Sequence[Burst] = ()

    def keep(self, _reason: str) -> Burst | None:
        """Nothing is held."""
        return None
