"""/api/boards: the dashboards, for the page to draw."""

from monitor.access import Permission
from monitor.server.base import Base


class Boards(Base):
    needs = Permission.VIEW

    def initialize(self, body: bytes) -> None:
        self.body = body

    def get(self) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(self.body)

    head = get
