"""/api/boards: the dashboards, for the page to draw, and what is to be said of the configuration."""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from monitor.access import Permission
from monitor.server.base import Base


class Shown(NamedTuple):
    """What is answered, and a name for it that changes whenever it does: `welcome` tells it, too."""

    body: bytes
    version: str


def shown(
    boards: Sequence[Mapping[str, Any]],
    problems: Sequence[Mapping[str, str]] = (),
    count: int = 0,
    waiting: Sequence[str] = (),
) -> Shown:
    """Boards are plain data, every field present.

    `problems` are why the newest configuration was refused, the first of `count`; `waiting` are the settings
    that need a restart.
    """
    configuration = {"problems": list(problems), "count": count, "waiting": list(waiting)}
    told = {"boards": list(boards), "configuration": configuration}
    version = blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()
    return Shown(json.dumps({**told, "version": version}).encode(), version)


class Boards(Base):
    needs = Permission.VIEW

    def get(self) -> None:
        found: Shown = self.settings["shown"]
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(found.body)

    head = get
