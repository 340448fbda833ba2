"""Settings of the web server and of the live connections."""

from typing import Annotated, Self

from pydantic import Strict, model_validator

from .address import Address
from .addresses import HostName, Network, Origin, Prefix
from .problems import conflict
from .section import Form, Section, Takes
from .tls import Tls
from .units import Between, Duration, Size


class WebSocket(Section):
    """The live connections: how a dead one is found, and how much one viewer may take."""

    ping_interval: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 10
    """Time between two pings to a viewer."""
    ping_timeout: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 10
    """How long a viewer may take to answer a ping; at most ping_interval."""
    sweep_interval: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 1
    """Time between two passes over all connections; a dead one is gone within ping_interval, plus the
    longer of ping_timeout and no_drain, plus two of these."""
    no_drain: Annotated[Duration, Between("1s", "1h"), Takes.RELOAD] = 10
    """How long bytes may wait for a viewer whose network takes none of them."""
    close_timeout: Annotated[Duration, Between("100ms", "1m"), Takes.RELOAD] = 2
    """How long the closing handshake may take before the connection is cut."""
    handshake_timeout: Annotated[Duration, Between("1s", "1h"), Takes.RELOAD] = 10
    """How long a new connection may take to send its whole request."""
    max_clients: Annotated[int, Between(1, 100_000), Takes.RELOAD] = 1000
    """Viewers at once; more are refused with status 503."""
    per_address: Annotated[int, Between(1, 100_000), Takes.RELOAD] = 100
    """Viewers at once from one network address.  Behind a reverse proxy all have the proxy's, unless it is
    one of trusted_proxies."""
    max_message: Annotated[Size, Between("1KiB", "1MiB"), Takes.RESTART] = 64 << 10
    """Longest message that a viewer may send."""
    send_buffer: Annotated[Size, Between("4KiB", "16MiB"), Takes.RESTART] = 16 << 10
    """The kernel's send buffer of a connection (SO_SNDBUF).  Small keeps slow viewers up to date."""
    backlog: Annotated[Size, Between("1MiB", "16GiB"), Takes.RELOAD] = 64 << 20
    """What may wait for slow viewers in all, beyond 32KiB for each; when it is used up, the past is sent to
    nobody until some of it has gone."""
    subscriptions: Annotated[int, Between(1, 10_000), Takes.RELOAD] = 32
    """Subscriptions of one viewer at once."""
    queries: Annotated[int, Between(1, 100_000), Takes.RELOAD] = 256
    """Queries in all subscriptions of one viewer."""
    credit_ticks: Annotated[int, Between(1, 10_000), Takes.RELOAD] = 30
    """Ticks sent to a viewer before it must have acknowledged one."""
    credit_bytes: Annotated[Size, Between("4KiB", "1MiB"), Takes.RELOAD] = 64 << 10
    """Bytes sent to a viewer before it must have acknowledged some.  Browsers stop answering pings once
    about 120KiB lie unread."""
    ack_bytes: Annotated[Size, Between("1KiB", "1MiB"), Takes.RELOAD] = 32 << 10
    """A viewer acknowledges at least every time it has received this much; at most credit_bytes."""
    ack_after: Annotated[Duration, Between("100ms", "1h"), Takes.RELOAD] = 10
    """A viewer whose page is visible acknowledges at least this often; less than park_after."""
    park_after: Annotated[Duration, Between("1s", "1d"), Takes.RELOAD] = 30
    """A viewer that acknowledges nothing for this long is sent pings only, until it does."""
    reconnect_spread: Annotated[Duration, Between("0s", "10m"), Takes.RELOAD] = 2
    """On a restart viewers come back after a random wait of at most this."""
    compression: Annotated[bool, Takes.RESTART] = True
    """Compress live messages (permessage-deflate), once for all viewers."""

    @model_validator(mode="after")
    def check_ping(self) -> Self:
        if self.ping_timeout > self.ping_interval:
            raise conflict(self, "ping_timeout", "ping_interval", "at most ping_interval ({other})")
        return self

    @model_validator(mode="after")
    def check_credit(self) -> Self:
        if self.ack_bytes > self.credit_bytes:
            raise conflict(self, "ack_bytes", "credit_bytes", "at most credit_bytes ({other})")
        return self

    @model_validator(mode="after")
    def check_park(self) -> Self:
        if self.ack_after >= self.park_after:
            raise conflict(self, "ack_after", "park_after", "less than park_after ({other})")
        return self


class Query(Section):
    """What one query may cost, over HTTP and live; beyond it the query is refused with an error."""

    series: Annotated[int, Between(1, 1_000_000), Takes.RELOAD] = 5000
    """Series in a result."""
    samples: Annotated[int, Between(1000, 1_000_000_000), Takes.RELOAD] = 5_000_000
    """Samples read."""
    points: Annotated[int, Between(1, 1_000_000), Takes.RELOAD] = 11_000
    """Points in time of a range query."""
    timeout: Annotated[Duration, Between("10ms", "5m"), Takes.RELOAD] = 2
    """Time for the evaluation."""


class Server(Section):
    """The web server: where it listens, who may come in, and what a viewer may ask."""

    listen: Annotated[Address, Form("host:port"), Takes.RESTART] = Address("127.0.0.1", 8844)
    """Address and port, `127.0.0.1:8844` or `"[::1]:8844"`.  Port 0 takes a free one, which the start
    prints."""
    allowed_hosts: Annotated[
        tuple[HostName, ...], Strict(False), Form("list of host names"), Takes.RELOAD
    ] = ()
    """Further host names under which browsers reach the service.  `localhost`, the name of this machine and
    the address listened on are always among them; requests for any other are refused."""
    allowed_origins: Annotated[tuple[Origin, ...], Strict(False), Form("list of origins"), Takes.RELOAD] = ()
    """Further origins whose pages may open live connections, such as `https://monitor.example.org`.  The
    service's own pages always may."""
    prefix: Annotated[Prefix, Form("path"), Takes.RESTART] = "/"
    """The path below which everything is, page, API and live stream: `/monitor/` where a reverse proxy gives
    the service this part of a site and passes paths on as they are."""
    trusted_proxies: Annotated[
        tuple[Network, ...], Strict(False), Form("list of IP addresses and networks"), Takes.RELOAD
    ] = ()
    """Reverse proxies that are believed: what they say in `X-Forwarded-For` is the viewer's address, in
    `X-Forwarded-Proto` the viewer's scheme.  From anybody else these headers are ignored."""
    max_body: Annotated[Size, Between("1KiB", "1GiB"), Takes.RESTART] = 1 << 20
    """Longest body of an HTTP request."""
    workers: Annotated[int, Between(1, 64), Takes.RESTART] = 1
    """Processes that serve viewers, this one included: up to one for each core.  One is enough for thousands
    of viewers."""
    tls: Tls = Tls()
    websocket: WebSocket = WebSocket()
    query: Query = Query()

    @model_validator(mode="after")
    def check_workers(self) -> Self:
        if self.workers > 1 and self.tls.certificate:
            raise conflict(
                self,
                "workers",
                "tls.certificate",
                "1 with server.tls, as an encrypted connection cannot go to another process "
                "(let a reverse proxy speak TLS instead)",
            )
        return self
