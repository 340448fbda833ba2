"""Plain HTTP beside TLS: it leads people to the encrypted page, and answers nothing else."""

import re

from tornado.web import Application

from monitor.access import Permission
from monitor.server.base import Base
from monitor.server.errors import Failure
from monitor.server.guard import Guard, name_of
from monitor.server.lead import Lead
from monitor.server.routes import count
from monitor.telemetry import Telemetry


class Secure(Lead):
    """To the host that was asked for, which the guard has found to be one of ours, and to the page alone."""

    def prepare(self) -> None:
        super().prepare()
        self.to = f"https://{name_of(self.request.headers['Host'])}{self.to}"


class Elsewhere(Base):
    """Programs are not led: what they sent in the open would go unnoticed."""

    needs = Permission.NOTHING

    def prepare(self) -> None:
        super().prepare()
        raise Failure(403, "https_only", "This address only leads to the page; ask the service by https.")


def redirecting(guard: Guard, telemetry: Telemetry, prefix: str, port: int) -> Application:
    """Leads to the page below a prefix, on the port where TLS is spoken."""
    to = prefix if port == 443 else f":{port}{prefix}"
    paths = "|".join(map(re.escape, {"/", prefix.rstrip("/"), prefix}))
    return Application(
        [(f"(?:{paths})", Secure, {"to": to})],
        default_handler_class=Elsewhere,
        guard=guard,
        telemetry=telemetry,
        log_function=count,
    )
