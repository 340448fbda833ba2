"""What one viewer may ask for and hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one session may ask for and hold; times in seconds, sizes in bytes."""

    message: int = 64 * 1024
    subscriptions: int = 32
    queries: int = 256
    range: int = 900_000
    """Milliseconds of the past."""
    inbox: int = 64
    backlog: int = 64 * 1024 * 1024
    """Of all sessions together."""
    ack_bytes: int = 32 * 1024
    ack_after: float = 5.0
    credit: int = 12
    credit_bytes: int = 64 * 1024
    park_after: float = 30.0
