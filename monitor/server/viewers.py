"""/api/viewers: who watches, and the way to cut one.  For operators, once there are accounts."""

import json

from monitor.server.base import Base
from monitor.server.errors import Failure
from monitor.stream.audience import Audience


class Viewers(Base):
    """The rows of the live table `viewers` (docs/protocol.md), as objects."""

    def initialize(self, audience: Audience) -> None:
        self.audience = audience

    def get(self) -> None:
        columns, rows, total = self.audience.viewers()
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(json.dumps({"viewers": found, "total": total}))

    head = get


class Viewer(Base):
    """One of them, by the session's name."""

    def initialize(self, audience: Audience) -> None:
        self.audience = audience

    def delete(self, session: str) -> None:
        if not self.audience.cut(session):
            raise Failure(404, "unknown_viewer", "There is no such viewer; it may have left.")
        self.set_status(204)
