"""Each room's part of the settings, in the room's own terms.  Only app.py uses it."""

from __future__ import annotations

import os
import resource
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from ipaddress import ip_network
from itertools import chain
from typing import TYPE_CHECKING, Any

import monitor
from monitor.access import FOLDER, Access, Folder, Role, User
from monitor.collect import COLLECTORS, Background, Collector, Host
from monitor.collect.budget import Budget
from monitor.collect.burst import Recorder
from monitor.config import Address, state_directory
from monitor.config.plain import data, options
from monitor.deploy.units import Deployment
from monitor.footprint import footprint
from monitor.model import Labels, Scrape
from monitor.promql import Limits
from monitor.server.arrivals import KEPT, Patience
from monitor.server.descriptors import BESIDES
from monitor.server.guard import Guard
from monitor.server.proxies import Proxies
from monitor.server.tls import Files, Identity
from monitor.storage.head import Head
from monitor.storage.store import MARGIN
from monitor.storage.tier import RAW
from monitor.stream.audience import Audience, Greeting
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Bounds
from monitor.telemetry import Telemetry

if TYPE_CHECKING:
    from monitor.config import Board, Settings

GRAIN, LEAST = 256 << 20, 4
"""Bytes of which the service's memory is a multiple, and the least multiple."""
FILES = 65536
"""Descriptors that the service may have at least."""
PROCESS_FILES = 4096
"""Of those, for processes that are looked at (monitor/collect/process/files.py) at most."""


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def head(settings: Settings) -> Head:
    held = settings.storage.head
    window = milliseconds(held.window)
    if settings.storage.history.enabled:
        window = max(window, RAW.slot + MARGIN)  # History closes its slots from here.
    rows = window // milliseconds(settings.collect.interval) + 2
    return Head(window, series=held.series, target_series=held.series_per_target, rows=rows)


def query_limits(settings: Settings) -> Limits:
    query = settings.server.query
    return Limits(series=query.series, samples=query.samples, seconds=query.timeout)


def bounds(settings: Settings) -> Bounds:
    websocket = settings.server.websocket
    return Bounds(
        ping_interval=websocket.ping_interval,
        ping_timeout=websocket.ping_timeout,
        no_drain=websocket.no_drain,
        close_timeout=websocket.close_timeout,
        sweep_interval=websocket.sweep_interval,
    )


def past(settings: Settings) -> int:
    """How much of the past there may be, in milliseconds."""
    history = settings.storage.history
    kept = (history.raw, history.minutes, history.hours) if history.enabled else (0.0,)
    return milliseconds(max(settings.storage.head.window, *kept))


def session_limits(settings: Settings) -> SessionLimits:
    websocket = settings.server.websocket
    return SessionLimits(
        message=websocket.max_message,
        # Each process has its part, so that the bound on all of them holds (monitor/footprint.py).
        backlog=websocket.backlog // settings.server.workers,
        subscriptions=websocket.subscriptions,
        queries=websocket.queries,
        range=past(settings),
        credit=websocket.credit_ticks,
        credit_bytes=websocket.credit_bytes,
        park_after=websocket.park_after,
    )


def greeting(settings: Settings, instance: str, configuration: str, history: str = "") -> Greeting:
    """What `welcome` tells every client; the epoch is new with every start, `configuration` names what
    /api/boards answers, and `history` is why it is paused."""
    websocket = settings.server.websocket
    return Greeting(
        server={
            "name": "monitor",
            "version": monitor.__version__,
            "instance": instance,
            "configuration": configuration,
            "history": history,
        },
        epoch=secrets.token_hex(4),
        ping={
            "interval": milliseconds(websocket.ping_interval),
            "timeout": milliseconds(websocket.ping_timeout),
            "sweep": milliseconds(websocket.sweep_interval),
        },
        limits={
            "message_bytes": websocket.max_message,
            "subscriptions": websocket.subscriptions,
            "queries": websocket.queries,
            "range": past(settings),
            "ack_bytes": websocket.ack_bytes,
            "ack_after": milliseconds(websocket.ack_after),
            "credit": websocket.credit_ticks,
            "credit_bytes": websocket.credit_bytes,
            "park_after": milliseconds(websocket.park_after),
        },
    )


def worker(settings: Settings, audience: Audience) -> dict[str, Any]:
    """What a worker makes its rooms of (server/worker.py), as plain data: what this process has, it has."""
    websocket = settings.server.websocket
    return {
        "log": {"level": settings.log.level, "form": settings.log.format},
        "step": audience.feeds.step,
        "boards": audience.boards,
        "greeting": asdict(audience.greeting),
        "limits": asdict(audience.limits),
        "bounds": asdict(audience.bounds),
        "carried": {"compression": websocket.compression, "send_buffer": websocket.send_buffer},
        "websocket": {
            "websocket_ping_interval": websocket.ping_interval,
            "websocket_ping_timeout": websocket.ping_timeout,
            "websocket_max_message_size": websocket.max_message,
        },
        "max_buffer": 2 * websocket.max_message,
    }


def deployment(settings: Settings, systemd: int, program: str, config: str) -> Deployment:
    """What the units say: room for the viewers (monitor/footprint.py), and as much again for all else."""
    wanted = [settings.server.listen, redirect(settings)]
    need = footprint(settings)
    return Deployment(
        systemd=systemd,
        program=program,
        config=config,
        listen=[place for address in wanted if address for place in numeric(address)],
        viewers=str(need),
        memory=max(LEAST, -(-2 * need.total // GRAIN)) * GRAIN >> 20,
        files=max(FILES, settings.server.websocket.max_clients + BESIDES),
    )


def numeric(address: Address) -> list[str]:
    """What an address stands for, as a socket unit wants it: a host name has several."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [str(Address(str(place[0]), address.port)) for *_, place in found]


def guard(settings: Settings) -> Guard:
    """The host names and origins that are answered: those of this machine, and those configured."""
    names = {
        "localhost",
        socket.gethostname().lower(),
        settings.server.listen.host,
        *settings.server.allowed_hosts,
    }
    return Guard(hosts=frozenset(names), origins=frozenset(settings.server.allowed_origins))


def proxies(settings: Settings) -> Proxies:
    return Proxies(tuple(map(ip_network, settings.server.trusted_proxies)))


def identity(settings: Settings, telemetry: Telemetry) -> Identity | None:
    """None without TLS.  Raises TlsError for files that cannot be used."""
    tls = settings.server.tls
    if not tls.certificate:
        return None
    return Identity(Files(tls.certificate, tls.key, tls.client_ca), telemetry)


def access(settings: Settings) -> Access:
    """Who may look; what it keeps is in a folder of the state folder."""
    folder = Folder(state_directory(settings, os.environ) / FOLDER)
    return Access(folder, users(settings), nobody(settings), time.time, time.monotonic)


def redirect(settings: Settings) -> Address | None:
    """Where plain HTTP is answered with the way to the encrypted page."""
    text = settings.server.tls.redirect
    return Address.parse(text) if text else None


def users(settings: Settings) -> list[User]:
    return [User(user.name, user.password, Role(user.role)) for user in settings.access.users]


def nobody(settings: Settings) -> Role | None:
    """The role of whoever does not log in."""
    return None if settings.access.anonymous == "none" else Role(settings.access.anonymous)


def patience(settings: Settings) -> Patience:
    """With connections that are no viewers."""
    websocket = settings.server.websocket
    return Patience(
        request=websocket.handshake_timeout,
        idle=max(KEPT, websocket.handshake_timeout),
        answer=websocket.no_drain,
    )


def collectors(settings: Settings) -> dict[str, Collector | Background]:
    """The collectors that are switched on, with their options."""
    switches = dict(settings.collect.collectors)
    besides = {"process_groups": {"kept": spare_files(settings)}}
    return {
        name: kind(**options(switches[name]), **besides.get(name, {}))
        for name, kind in COLLECTORS.items()
        if switches[name].enabled
    }


def budget(settings: Settings) -> Budget:
    wanted = settings.collect.budget
    return Budget(wanted.collector, wanted.total)


def recorder(settings: Settings, accept: Callable[[Scrape], None], target: Labels) -> Recorder:
    """Of bursts: its collectors have the options of those of each pass, and go on where these are off."""
    wanted, switches = settings.collect.burst, dict(settings.collect.collectors)
    made: Iterator[tuple[str, Collector | Background]] = (
        (name, COLLECTORS[name](**options(switches[name]))) for name in wanted.collectors
    )
    direct = {name: each for name, each in made if not isinstance(each, Background)}
    return Recorder(host(settings), direct, accept, target=target, interval=wanted.interval)


def spare_files(settings: Settings) -> int:
    """How many files of processes may stay open: none that a viewer may need."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(0, min(PROCESS_FILES, allowed - settings.server.websocket.max_clients - BESIDES))


def host(settings: Settings) -> Host:
    collect = settings.collect
    return Host(str(collect.procfs), str(collect.sysfs), str(collect.rootfs))


def queries(board: Board) -> tuple[str, ...]:
    """The queries of a board's feed, in the order that the page counts on (web/src/wire/board.ts)."""
    numbers = [
        (*(q.query for q in each.queries), *(d.query for d in each.details)) for each in board.headline
    ]
    panels = [[query.query for query in panel.queries] for panel in board.panels]
    return tuple(chain(*numbers, *panels))


def boards(settings: Settings) -> list[Mapping[str, Any]]:
    """The boards as the page gets them."""
    return [data(board) for board in settings.boards]


def state_folder(settings: Settings) -> None:
    """Make the folder for what survives a restart.  Raises OSError where it cannot be made or written to."""
    folder = state_directory(settings, os.environ)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = folder / ".writable"
    probe.touch()
    probe.unlink()
