"""Leading people to the page, from where they look for it.  No word of the request is in the answer."""

from monitor.access import Permission
from monitor.server.base import Base


class Lead(Base):
    needs = Permission.NOTHING

    def initialize(self, to: str) -> None:
        self.to = to

    def get(self) -> None:
        # Not for ever (308), which browsers never forget: settings change.
        self.set_status(307)
        self.set_header("Location", self.to)

    head = get
