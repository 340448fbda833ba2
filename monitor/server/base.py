"""What all handlers share: the guard before a request, the headers on an answer, the shape of an error."""

import logging
from types import TracebackType
from typing import Any, ClassVar

from tornado.web import HTTPError, RequestHandler

from monitor.access import Access, Credential, Permission
from monitor.server import errors, shown
from monitor.server.errors import Failure
from monitor.server.guard import Guard, host_allowed, is_embedded, is_own, origin_allowed

log = logging.getLogger(__name__)

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # Svelte 5 makes its templates under a policy of this name; nothing else may make markup from text.
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in FEATURES),
    "Cache-Control": "no-store",
}
"""On every answer; a handler may say otherwise about the cache."""

WRONG_HOST = "The service does not answer to this host name; server.allowed_hosts lists those it does."
NOT_LOGGED_IN = "Log in first, or send a token that is valid as `Authorization: Bearer TOKEN`."
NOT_JSON = "The body has to be JSON, and Content-Type application/json."
SAFE = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110 section 9.2.1)."""
FOREIGN_ORIGIN = "Pages of this origin may not use the service; server.allowed_origins lists those that may."


class Base(RequestHandler):
    """Every handler's base, a WebSocketHandler's too (name it first).  An own `prepare` calls this one."""

    needs: ClassVar[Permission | None] = None
    """What who asks must be permitted.  A handler that does not say is closed to everybody."""
    changes: ClassVar[Permission | None] = None
    """What who changes something must be permitted, where that is more."""
    takes_forms: ClassVar[bool] = False
    """Whether a body may be something else than JSON, as nothing is changed by it."""

    @property
    def guard(self) -> Guard:
        guard: Guard = self.settings["guard"]
        return guard

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        # Not by `set_header`, which looks for wrong characters: a request that is refused comes here twice.
        for name, value in HEADERS.items():
            self._headers[name] = value

    def prepare(self) -> None:
        """Raises Failure for a Host or an Origin that is not allowed, and for who may not ask this, before
        anything is done."""
        self._judge_place()
        self._judge_asker()
        if self.request.method not in SAFE:
            self._judge_change()

    def get_current_user(self) -> Credential | None:
        access: Access | None = self.settings.get("access")
        return shown.credential(self.request, access) if access else None

    def _judge_place(self) -> None:
        headers = self.request.headers
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if not host_allowed(host, self.guard.hosts):
            raise Failure(421, "wrong_host", WRONG_HOST)
        embedded = origin is None and is_embedded(
            headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Dest")
        )
        if embedded or not origin_allowed(origin, host, self.guard.origins, self.request.protocol):
            raise Failure(403, "foreign_origin", FOREIGN_ORIGIN)

    @classmethod
    def needed(cls, method: str) -> Permission | None:
        """What who asks by this method must be permitted."""
        return cls.needs if method in SAFE else cls.changes or cls.needs

    def _judge_asker(self) -> None:
        needs = self.needed(self.request.method or "")
        if needs is Permission.NOTHING:
            return
        if needs is None:
            raise Failure(403, "closed", "Nobody may ask this.")
        who: Credential | None = self.current_user
        if who is None:
            raise Failure(401, "not_logged_in", NOT_LOGGED_IN, {"WWW-Authenticate": 'Bearer realm="monitor"'})
        if needs not in who.may:
            raise Failure(403, "not_permitted", f"The role {who.role.value} may not ask this.")

    def _judge_change(self) -> None:
        """What changes something comes of our own page, or shows a token; no form of any page can send it."""
        headers, who = self.request.headers, self.current_user
        if who is not None and who.ambient and "Origin" not in headers:
            raise Failure(403, "foreign_origin", FOREIGN_ORIGIN)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if self.request.body and not self.takes_forms and kind != "application/json":
            raise Failure(415, "not_json", NOT_JSON)

    def check_trusted_origin(self, origin: str) -> bool:
        host = self.request.headers.get("Host", "")
        return origin_allowed(origin, host, self.guard.origins, self.request.protocol)

    def _origin_matches_host(self, origin: str) -> bool:
        # Tornado's own raises ValueError for "http://[", which would be answered by 500.
        return is_own(origin, self.request.headers.get("Host", ""), self.request.protocol)

    def compute_etag(self) -> str | None:
        """None: answers are as new as the last sample, and hashing them tells nobody anything."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        failure = errors.described(status_code, kwargs.get("exc_info", (None, None))[1])
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.methods()))
        for name, value in failure.headers.items():
            self.set_header(name, value)
        self.finish(self.error_body(failure))

    def error_body(self, failure: Failure) -> dict[str, object]:
        return errors.body(failure)

    def methods(self) -> list[str]:
        """The methods that this handler has."""
        every = (name.lower() for name in self.SUPPORTED_METHODS)
        return [
            name.upper() for name in every if getattr(type(self), name) is not getattr(RequestHandler, name)
        ]

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Logs what nobody foresaw.  Refusals are counted and not logged: a request must not fill the log."""
        if not isinstance(value, HTTPError):
            log.error("%s %s failed", type(self).__name__, self.request.method, exc_info=(typ, value, tb))  # type: ignore[arg-type]


class NotFound(Base):
    """Every path that no rule names."""

    needs = Permission.VIEW

    def prepare(self) -> None:
        super().prepare()
        raise Failure(404, "not_found", errors.MESSAGES[404])
