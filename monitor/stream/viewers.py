"""Who watches, as rows: the table `viewers`, at /api/viewers and in the terminal.

Everything is read from what session and pulse hold anyway; nothing is computed while nobody looks.  Rows
tell addresses and agents of others and hold nothing secret; they are for operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple, Protocol

from monitor.access import Credential
from monitor.stream.pulse import Pulse
from monitor.stream.session import Session
from monitor.stream.table import Rows

MOST = 1000
"""Rows of a table: those who have been here longest."""


class Peer(Protocol):
    """What a row tells of a connection."""

    address: str
    credential: Credential
    agent: str
    """The User-Agent it came with, cut."""
    pulse: Pulse


class Viewer(NamedTuple):
    """Times and durations in ms, sizes in bytes; None where it is not known."""

    session: str
    address: str
    agent: str
    user: str
    """Empty for somebody who has not logged in."""
    board: str
    since: int
    round_trip: float | None
    rate: int
    """Bytes a second that reach the peer."""
    lag: float | None
    """From the last acknowledged sample to its paint, as the client says."""
    skipped: int
    """Ticks merged for this client in all."""
    waiting: int
    """Bytes that the peer's TCP had not acknowledged when it was last swept."""
    oldest: float
    """Age of the oldest of them."""
    state: str
    """live, slow, hidden, parked or closing."""


def viewers(sessions: Mapping[Session, Peer], now: float) -> Rows:
    """The table, in the order in which they came; `now` is in seconds of the sweep's clock."""
    rows = [_viewer(session, peer, now) for session, peer in islice(sessions.items(), MOST)]
    return Rows(Viewer._fields, rows, len(sessions))


def _viewer(session: Session, peer: Peer, now: float) -> Viewer:
    pulse = peer.pulse
    return Viewer(
        session=session.id,
        address=peer.address,
        agent=peer.agent,
        user=peer.credential.name,
        board=_board(session),
        since=session.since,
        round_trip=_milliseconds(pulse.round_trip),
        rate=round(pulse.rate),
        lag=_milliseconds(session.last_lag),
        skipped=session.skipped_in_all,
        waiting=pulse.undrained,
        oldest=0 if pulse.undrained_since is None else max(0, round((now - pulse.undrained_since) * 1000)),
        state=state(session, pulse),
    )


def state(session: Session, pulse: Pulse) -> str:
    if session.closing is not None or pulse.closing_since is not None:
        return "closing"
    if session.parked:
        return "parked"
    if not session.visible:
        return "hidden"
    return "slow" if session.skipped else "live"


def _board(session: Session) -> str:
    """The boards it follows; `queries` for queries of its own.  Tables do not count."""
    named = (subscription.board for subscription in session.subscriptions.values())
    return ", ".join(dict.fromkeys(name for name in named if name))


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
