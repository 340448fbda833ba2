"""Logging in and out: by a link that is good once, or by name and password.

The page asks `/api/session` who it is.  A link's code leaves the address at once: the answer leads to the
page.
"""

import json
import logging
from collections.abc import Mapping

from monitor.access import Access, Permission
from monitor.server import shown
from monitor.server.base import Base
from monitor.server.doorman import Doorman
from monitor.server.errors import Failure
from monitor.server.static import Asset, Static

log = logging.getLogger(__name__)

LONGEST = 4096
"""Bytes of a request to log in."""


class Login(Static):
    """/login: the page to log in, and where a link leads."""

    def initialize(self, assets: Mapping[str, Asset], prefix: str = "/") -> None:
        super().initialize(assets)
        self.prefix = prefix

    def get(self, *_path: str) -> None:
        code = self.get_query_argument("code", "")
        if not code:
            self.send_page()
            return
        if "prefetch" in self.request.headers.get("Sec-Purpose", ""):
            raise Failure(503, "not_yet", "A link is used up by a person, not in advance.")
        self.enter(code)

    def head(self, *_path: str) -> None:
        self.send_page()

    def enter(self, code: str) -> None:
        access: Access = self.settings["access"]
        secret = access.enter(code)
        self.settings["telemetry"].logins["link" if secret else "old-link"] += 1
        if secret is None:
            self.set_status(401)
            self.send_page()
            return
        log.info("somebody logged in with a link, from %s", self.request.remote_ip)
        access.end(shown.session(self.request, access))
        shown.give(self, access, secret)
        self.set_status(303)
        self.set_header("Location", self.prefix)


class Session(Base):
    """/api/session: who is this, log in, log out."""

    needs = Permission.NOTHING

    def initialize(self, doorman: Doorman) -> None:
        self.doorman = doorman

    @property
    def access(self) -> Access:
        access: Access = self.settings["access"]
        return access

    def get(self) -> None:
        who = self.current_user
        told = {
            "name": who.name if who else "",
            "role": who.role.value if who else None,
            "may": sorted(who.may) if who else [],
            "users": bool(self.access.users),
        }
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(json.dumps(told))

    head = get

    async def post(self) -> None:
        name, password = login(self.request.body)
        user = await self.doorman.admit(name, password, self.request.remote_ip or "")
        self.access.end(shown.session(self.request, self.access))
        shown.give(self, self.access, self.access.begin(user))
        self.set_status(204)

    def delete(self) -> None:
        self.access.end(shown.session(self.request, self.access))
        shown.take(self, self.access)
        self.set_status(204)


def login(body: bytes) -> tuple[str, str]:
    """Name and password of a request.  Raises Failure, which says nothing of either."""
    try:
        asked = json.loads(body) if len(body) <= LONGEST else None
    except (ValueError, RecursionError):
        asked = None
    match asked:
        case {"name": str(name), "password": str(password)}:
            return name, password
    raise Failure(400, "bad_login", 'The body has to be {"name": "...", "password": "..."}.')
