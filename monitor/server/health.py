"""For those who start and watch services: is it alive, is it of use."""

from monitor.access import Permission
from monitor.server.base import Base
from monitor.server.errors import Failure
from monitor.storage import Storage


class Health(Base):
    """/healthz: the loop runs."""

    needs = Permission.NOTHING

    def get(self) -> None:
        self.write({"status": "alive"})

    head = get


class Ready(Base):
    """/readyz: the first scrape is stored."""

    needs = Permission.NOTHING

    def initialize(self, storage: Storage) -> None:
        self.storage = storage

    def get(self) -> None:
        if self.storage.oldest() is None:
            raise Failure(503, "not_ready", "No scrape is stored yet.", {"Retry-After": "1"})
        self.write({"status": "ready"})

    head = get
