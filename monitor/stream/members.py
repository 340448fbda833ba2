"""Sessions by what they rest on: a log-in or a token that ends takes all of its sessions along."""

from __future__ import annotations

from collections.abc import Collection, KeysView

from monitor.stream.session import Session


class Members:
    """Everybody who is in leaves by `leave`."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[Session, None]] = {}

    @property
    def keys(self) -> KeysView[str]:
        """Of the credentials that are in use."""
        return self._sessions.keys()

    def enter(self, key: str, session: Session) -> None:
        self._sessions.setdefault(key, {})[session] = None

    def leave(self, key: str, session: Session) -> None:
        del self._sessions[key][session]
        if not self._sessions[key]:
            del self._sessions[key]

    def of(self, keys: Collection[str]) -> list[Session]:
        """Those who rest on any of these."""
        return [session for key in self.keys & set(keys) for session in self._sessions[key]]
