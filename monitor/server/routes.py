"""Which path is answered by what."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tornado.web import Application, GZipContentEncoding, RequestHandler

from monitor.access import Access
from monitor.formats.exposition import Exposition
from monitor.model import Event
from monitor.promql import Archive, Limits
from monitor.server import api, bursts, static
from monitor.server.api import Events
from monitor.server.base import NotFound
from monitor.server.boards import Boards, shown
from monitor.server.doorman import Doorman
from monitor.server.guard import Guard
from monitor.server.health import Health, Ready
from monitor.server.identity import Here, Hosts, nowhere
from monitor.server.lead import Lead
from monitor.server.login import Login, Session
from monitor.server.metrics import Latest, Metrics
from monitor.server.past import PastProcesses
from monitor.server.static import Asset, Page, Static, read_assets
from monitor.server.viewers import Viewer, Viewers
from monitor.storage import Storage
from monitor.stream.audience import Audience
from monitor.telemetry import Telemetry

PAGE = Path(__file__).parent.parent / "static"
"""Where the build puts the page."""

Rule = tuple[str, type[RequestHandler], dict[str, Any]]


def nothing(_start: int, _end: int) -> Sequence[Event]:
    """What happened where nobody writes it down."""
    return ()


def make_application(
    *,
    storage: Storage,
    telemetry: Telemetry,
    latest: Latest,
    boards: Sequence[Mapping[str, Any]],
    guard: Guard,
    access: Access,
    limits: Limits,
    live: Sequence[Rule] = (),
    audience: Audience | None = None,
    archive: Archive | None = None,
    keeper: bursts.Keeper | None = None,
    happened: Events = nothing,
    here: Here = nowhere,
    prefix: str = "/",
    page: Path = PAGE,
    clock: Callable[[], float] = time.time,
    **settings: Any,
) -> Application:
    """The application: `live` are the rules of the live stream, `audience` who watches it.

    Rules are written as if the service had the whole site; all are below `prefix`, which ends with a slash.
    `settings` go to Tornado (its websocket_*), but for `points`, how many times a range query may have.
    `archive` has more than the storage, which is in memory; `happened` gives the events in a range of time,
    `here` what this machine is.  A reload changes the settings `guard`, `limits`, `points` and `shown`.
    """
    rules: list[Rule] = [
        *live,  # First, as a thousand viewers may come back at once.
        (r"/api/boards", Boards, {}),
        *asking(archive or Archive(storage), clock, happened, keeper or bursts.Nobody(), here),
        *(watching(audience) if audience is not None else ()),
        *machines(storage, telemetry, latest),
        *doors(Doorman(access, telemetry)),
        *pages(read_assets(page), prefix),
    ]
    return Application(
        below(prefix, rules),
        default_handler_class=NotFound,
        guard=guard,
        access=access,
        telemetry=telemetry,
        prefix=prefix,
        limits=limits,
        shown=shown(boards),
        cross_origin_protection=True,
        transforms=[Packed],
        log_function=count,
        **settings,
    )


def machines(storage: Storage, telemetry: Telemetry, latest: Latest) -> tuple[Rule, Rule, Rule]:
    """For those who watch and start services."""
    return (
        (r"/metrics", Metrics, {"latest": latest, "telemetry": telemetry, "exposition": Exposition()}),
        (r"/healthz", Health, {}),
        (r"/readyz", Ready, {"storage": storage}),
    )


def asking(
    archive: Archive, clock: Callable[[], float], happened: Events, keeper: bursts.Keeper, here: Here
) -> list[Rule]:
    """The query API, over what is stored and what is kept."""
    held = {"archive": archive, "clock": clock, "events": happened}
    told: list[Rule] = [
        (r"/api/v1/processes", PastProcesses, held),
        (r"/api/v1/host", Hosts, held | {"here": here}),
    ]
    return [*told, *bursts.routes(held, keeper), *((path, handler, held) for path, handler in api.ROUTES)]


def pages(assets: dict[str, Asset], prefix: str) -> tuple[Rule, Rule, Rule]:
    """The page for who may look, the page to log in, and what both are made of."""
    boards, login = static.page(assets, "index.html"), static.page(assets, "login.html")
    return (
        (r"/(?:index\.html)?", Page, {"assets": boards, "login": login.get("")}),
        (r"/login", Login, {"assets": login, "prefix": prefix}),
        (r"/(.*)", Static, {"assets": assets}),
    )


def below(prefix: str, rules: Sequence[Rule]) -> list[Rule]:
    """The rules below a prefix, which people also find without its last slash, and from the root."""
    bare = prefix.rstrip("/")
    found = [(re.escape(bare) + path, handler, held) for path, handler, held in rules]
    return [*found, (f"(?:/|{re.escape(bare)})", Lead, {"to": prefix})] if bare else found


def doors(doorman: Doorman) -> tuple[Rule, Rule]:
    """Who this is, and nothing else below /api."""
    return (r"/api/session", Session, {"doorman": doorman}), (r"/api/.*", NotFound, {})


def watching(audience: Audience) -> tuple[Rule, Rule]:
    held = {"audience": audience}
    return (r"/api/viewers", Viewers, held), (r"/api/viewers/([^/]+)", Viewer, held)


class Packed(GZipContentEncoding):
    """Packs quickly: at Tornado's level 6 a large answer would hold up the loop three times as long."""

    GZIP_LEVEL = 1


def count(handler: RequestHandler) -> None:
    """Counts an answer in place of a line in a log, which requests could fill."""
    telemetry: Telemetry = handler.settings["telemetry"]
    telemetry.http_requests[type(handler).__name__, f"{handler.get_status() // 100}xx"] += 1
