"""What everybody watches by, changed while they watch: nobody is cut, and no feed is stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.stream.audience import Audience, Greeting
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.liveness import Bounds


@dataclass(frozen=True, slots=True)
class Terms:
    boards: Mapping[str, Sequence[str]]
    """Queries by name.  Who follows a board goes on with its old queries until it asks again."""
    greeting: Greeting
    limits: SessionLimits
    bounds: Bounds


def adopt(audience: Audience, terms: Terms, notices: Sequence[bytes] = ()) -> None:
    """For those who come and for those who are here; these are told the notices."""
    audience.boards = terms.boards
    audience.greeting = terms.greeting
    audience.limits = terms.limits
    audience.bounds = terms.bounds
    audience.backlog.limit = terms.limits.backlog
    audience.awake.interval = terms.bounds.sweep_interval
    frames = [Frame(notice) for notice in notices]
    for session, connection in tuple(audience.connections.items()):
        session.step_out()
        session.boards = terms.boards
        session.limits = terms.limits
        session.credit.messages = terms.limits.credit
        session.credit.size = terms.limits.credit_bytes
        if frames:
            audience.telemetry.frames_sent += len(frames)
            audience.telemetry.bytes_sent += connection.send(frames)
