"""/api/viewers: who watches, and the way to cut one.  For operators."""

import json
from typing import Protocol

from monitor.access import Permission
from monitor.server.base import Base
from monitor.server.errors import Failure
from monitor.stream.audience import Audience
from monitor.stream.table import Rows


class Everybody(Protocol):
    """The viewers of all processes, where there are several: the application's setting `everybody`."""

    async def viewers(self) -> Rows: ...

    async def cut(self, session: str) -> bool: ...


class Viewers(Base):
    """The rows of the live table `viewers` (docs/protocol.md), as objects."""

    needs = Permission.VIEWERS

    def initialize(self, audience: Audience) -> None:
        self.audience = audience

    async def get(self) -> None:
        everybody: Everybody | None = self.settings.get("everybody")
        columns, rows, total, _ = await everybody.viewers() if everybody else self.audience.viewers()
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(json.dumps({"viewers": found, "total": total}))

    head = get


class Viewer(Base):
    """One of them, by the session's name."""

    needs = Permission.VIEWERS

    def initialize(self, audience: Audience) -> None:
        self.audience = audience

    async def delete(self, session: str) -> None:
        everybody: Everybody | None = self.settings.get("everybody")
        found = await everybody.cut(session) if everybody else self.audience.cut(session)
        if not found:
            raise Failure(404, "unknown_viewer", "There is no such viewer; it may have left.")
        self.set_status(204)
