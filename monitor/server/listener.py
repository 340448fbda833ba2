"""The HTTP server and its limits: what an unfinished or oversized request may cost."""

from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config
from tornado.web import Application

from monitor.server.arrivals import Arrivals, WatchedServer
from monitor.server.proxies import NOBODY, Proxies

MAX_HEADER = 16 << 10
MAX_BODY = 1 << 20


def make_server(
    application: Application,
    *,
    max_body: int = MAX_BODY,
    request_timeout: float = 10.0,
    idle_timeout: float = 60.0,
    arrivals: Arrivals | None = None,
    proxies: Proxies = NOBODY,
) -> WatchedServer:
    """A server that listens nowhere yet.

    A body of more than max_body bytes is refused, and so is one not whole after request_timeout seconds; a
    connection that sends no whole header within idle_timeout seconds is closed.  These are Tornado's own
    time-outs, the second line behind `arrivals`, which are swept.  Forwarding headers are believed of
    `proxies` alone.
    """
    # Nothing here takes uploads, and parsing them has a history of holes.  Tornado sets this per process.
    set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False)))
    server = WatchedServer(
        application,
        xheaders=False,
        max_header_size=MAX_HEADER,
        max_body_size=max_body,
        max_buffer_size=max(max_body, 2 * MAX_HEADER),
        body_timeout=request_timeout,
        idle_connection_timeout=idle_timeout,
    )
    server.arrivals, server.proxies = arrivals, proxies
    return server
