"""The sweep's verdicts: a pure function from what is known of a connection to what must happen to it.

Guarantees, with P = ping_interval, T = ping_timeout, D = no_drain, C = close_timeout, S = sweep_interval: a
peer that is silent, stopped or cut off is gone within P + max(T, D) + 2 S of its last sign of life; one that
is closing within C + S; a session whose stream is gone within 2 S.  A peer whose TCP makes progress is not
cut for late pongs: the time-out starts when the ping has been delivered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What the sweep does; all but the first two end the session, and the value is the reason counted."""

    ALIVE = "alive"
    PING = "ping"
    """Tornado's own ping is overdue (it sleeps by the wall clock): send one."""
    NO_PONG = "no-pong"
    NO_PROGRESS = "no-progress"
    CLOSING = "unfinished-close"
    ZOMBIE = "zombie"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds, as in the `server.websocket` settings."""

    ping_interval: float = 10.0
    ping_timeout: float = 10.0
    no_drain: float = 10.0
    close_timeout: float = 2.0
    sweep_interval: float = 1.0


class Facts(NamedTuple):
    """What is known of one connection at the moment of a sweep; times in seconds of the sweep's clock."""

    closed_since: float | None = None
    """The sweep that first met its stream gone, though it was still registered."""
    closing_since: float | None = None
    pinged_at: float = 0.0
    """The last ping, or the beginning of the connection."""
    unanswered: bool = False
    """Whether a ping waits for its pong."""
    unanswered_since: float | None = None
    """When the oldest ping without its pong was delivered to the peer's TCP, if it was."""
    stuck_since: float | None = None
    """Since when bytes wait and none was acknowledged by the peer's TCP."""


def judge(facts: Facts, now: float, bounds: Bounds) -> Verdict:
    """The verdict on one connection."""
    if facts.closed_since is not None:
        # The first sweep may come between the end of a stream and the turn of the loop that tells of it.
        return Verdict.ZOMBIE if now > facts.closed_since else Verdict.ALIVE
    if facts.unanswered_since is not None and now - facts.unanswered_since >= bounds.ping_timeout:
        return Verdict.NO_PONG
    if facts.stuck_since is not None and now - facts.stuck_since >= bounds.no_drain:
        return Verdict.NO_PROGRESS
    if facts.closing_since is not None:
        return Verdict.CLOSING if now - facts.closing_since >= bounds.close_timeout else Verdict.ALIVE
    if not facts.unanswered and now - facts.pinged_at >= bounds.ping_interval + bounds.sweep_interval:
        return Verdict.PING
    return Verdict.ALIVE


class Awake:
    """A monotonic clock that stands still while the service could not listen.

    When a sweep comes late by more than its interval (the loop was blocked, the process stopped), the time
    lost is taken out, so that every deadline moves by it: nobody is judged on time in which he was not heard.
    """

    def __init__(self, monotonic: Callable[[], float], interval: float) -> None:
        self.monotonic = monotonic
        self.interval = interval
        self._lost = 0.0
        self._swept: float | None = None

    def __call__(self) -> float:
        """Until a late sweep has been, what it will be after it, so that nothing lies in the future."""
        now = self.monotonic()
        return now - self._lost - self._lost_until(now)

    def sweep(self) -> bool:
        """Note that a sweep begins.  False when it comes late: then nobody may be judged by it."""
        now = self.monotonic()
        lost = self._lost_until(now)
        self._swept = now
        self._lost += lost
        return not lost

    def _lost_until(self, now: float) -> float:
        """Seconds since the last sweep, but for its interval, if a sweep now would come late."""
        late = 0.0 if self._swept is None else now - self._swept - self.interval
        return late if late > self.interval else 0.0
