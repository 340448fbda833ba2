"""Open connections to read files of history with: lent to one thread at a time, while the file is there."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from monitor.storage.schema import connect
from monitor.storage.tier import Tier


class Connections:
    """Keeps the `most` that were used last."""

    def __init__(self, most: int = 24) -> None:
        self._most = most
        self._lock = Lock()
        self._idle: OrderedDict[sqlite3.Connection, Path] = OrderedDict()
        self._forgotten: dict[Path, int] = {}

    @contextmanager
    def lend(self, path: Path, tier: Tier) -> Iterator[sqlite3.Connection]:
        """A connection inside one transaction: all that is read through it is of one moment.

        Raises sqlite3.Error; a connection that raised is closed.
        """
        with self._lock:
            known = next((each for each in reversed(self._idle) if self._idle[each] == path), None)
            if known is not None:
                del self._idle[known]
            serial = self._forgotten.get(path, 0)
        connection = known or connect(path, tier)
        sound = False
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
            sound = True
        finally:
            if sound:
                self._take_back(path, connection, serial)
            else:
                connection.close()

    def _take_back(self, path: Path, connection: sqlite3.Connection, serial: int) -> None:
        gone = []
        with self._lock:
            if self._forgotten.get(path, 0) == serial:
                self._idle[connection] = path
            else:
                gone.append(connection)
            while len(self._idle) > self._most:
                gone.append(self._idle.popitem(last=False)[0])
        for each in gone:
            each.close()

    def forget(self, path: Path) -> None:
        """The file is gone, or another stands in its place: who reads it now reads on, nobody else does."""
        with self._lock:
            self._forgotten[path] = self._forgotten.get(path, 0) + 1
            gone = [each for each, at in self._idle.items() if at == path]
            for each in gone:
                del self._idle[each]
        for each in gone:
            each.close()

    def close(self) -> None:
        """Close what nobody has borrowed."""
        with self._lock:
            gone = list(self._idle)
            self._idle.clear()
        for each in gone:
            each.close()
