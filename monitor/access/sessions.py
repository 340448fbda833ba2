"""Who has logged in: known to the browser by a random name alone, of which only a hash is kept.

Times are in seconds of a clock that goes evenly; what is written to disk is in Unix time.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

IDLE = 12 * 3600.0
"""Seconds without a request or an open page after which a session ends."""
LONGEST = 7 * 86400.0
"""Seconds after which every session ends."""
MOST = 1000
"""Sessions; one more ends the one that was longest idle."""
USED = 256
"""Codes remembered that have been used."""
VERSION = 1

Clock = Callable[[], float]


@dataclass(slots=True)
class Session:
    key: str
    name: str
    """Of the user."""
    stamp: str
    """Of what the user was when it began: name, password, role."""
    began: float
    seen: float


class Sessions:
    """By the hash of their names."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.used: dict[str, None] = {}
        """Nonces of the codes that have been used, in order."""
        self._held: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._held)

    def begin(self, name: str, stamp: str) -> str:
        """Begin one; the name that the browser is given."""
        if len(self._held) >= MOST:
            idlest = min(self._held, key=lambda each: self._held[each].seen)
            del self._held[idlest]
        secret, now = secrets.token_urlsafe(32), self.clock()
        self._held[digest(secret)] = Session(f"session {secrets.token_hex(8)}", name, stamp, now, now)
        return secret

    def get(self, secret: str) -> Session | None:
        """The session of this name, which counts as a use; whether its user is the same is not looked at."""
        session = self._held.get(digest(secret))
        if session is None or self._is_over(session):
            return None
        session.seen = self.clock()
        return session

    def end(self, secret: str) -> bool:
        """Whether there was one of this name."""
        return self._held.pop(digest(secret), None) is not None

    def use(self, nonce: str) -> bool:
        """Whether this code has not been used before; now it has."""
        if nonce in self.used:
            return False
        self.used[nonce] = None
        while len(self.used) > USED:
            del self.used[next(iter(self.used))]
        return True

    def keep(self, keys: Container[str]) -> None:
        """Those of these keys are in use."""
        now = self.clock()
        for session in self._held.values():
            if session.key in keys:
                session.seen = now

    def sweep(self, stamps: Mapping[str, str]) -> set[str]:
        """Drop those that are over or whose user is not the same any more; the keys of all that remain."""
        self._held = {
            hashed: session
            for hashed, session in self._held.items()
            if not self._is_over(session) and stamps.get(session.name) == session.stamp
        }
        return {session.key for session in self._held.values()}

    def _is_over(self, session: Session) -> bool:
        now = self.clock()
        return now - session.seen > IDLE or now - session.began > LONGEST

    def packed(self, wall: float) -> str:
        """All of them as text for the disk; `wall` is Unix time."""
        ahead = wall - self.clock()
        rows = [
            [hashed, each.key, each.name, each.stamp, each.began + ahead, each.seen + ahead]
            for hashed, each in self._held.items()
        ]
        return json.dumps({"version": VERSION, "sessions": rows, "used": list(self.used)})

    def unpack(self, text: str, wall: float) -> None:
        """Take in what `packed` made.  Raises ValueError for anything else.

        What lies in the future began now: the clock has been set back.
        """
        now = self.clock()
        try:
            data = json.loads(text)
            if data["version"] != VERSION:
                raise ValueError(f"version {data['version']}")
            for hashed, key, name, stamp, began, seen in data["sessions"]:
                times = (now - max(0.0, wall - time) for time in (began, seen))
                self._held[str(hashed)] = Session(str(key), str(name), str(stamp), *times)
            self.used = dict.fromkeys(map(str, data["used"]))
        except (KeyError, TypeError) as error:
            raise ValueError("not the sessions of this version") from error


def digest(secret: str) -> str:
    """What is kept of a random secret: nobody can guess what it was, so one round is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
