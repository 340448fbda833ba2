"""Who may in, and who may no longer: the one place that says so.

What a browser shows is the name of a session; what a program shows is a token, or a code made with the key.
The key is in a file that only the service's own user and root can read: with it anybody may log in as
`local`, who is an admin.  It is made at the first start and never leaves its file.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from . import codes, tokens
from .credential import Credential, anonymous
from .folder import AccessError, Folder, Stamp
from .roles import GRANTED, Role
from .sessions import Sessions, digest

log = logging.getLogger(__name__)

KEY, SESSIONS = "key", "sessions.json"
LOCAL = "local"
"""Who logs in with a link; no user may have this name."""
LINK, COMMAND = "link", "command"
"""What codes are made for."""
LINK_LASTS, COMMAND_LASTS = 600.0, 30.0
"""Seconds."""
COMMAND_PREFIX = "cmd_"
TOLD = 5.0
"""Seconds for which an end is told: a connection may be on its way to another process meanwhile."""
SAVED = 60.0
"""Seconds between two times that the uses of sessions are written down."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password: str = field(repr=False)
    """Its argon2id hash."""
    role: Role

    @property
    def stamp(self) -> str:
        return digest(f"{self.name}\0{self.password}\0{self.role.value}")


def key_of(folder: Folder) -> str:
    """The key, which is made where there is none yet.  Raises AccessError where there is no folder."""
    with folder.alone():
        key = folder.read(KEY)
        if not key:
            key = secrets.token_urlsafe(32)
            folder.write(KEY, key)
    return key


def link_code(folder: Folder, now: float) -> str:
    """A code that logs somebody in, once; `now` is Unix time."""
    return codes.make(key_of(folder), LINK, now + LINK_LASTS)


def command_code(folder: Folder, now: float) -> str:
    """What a command on this machine shows to the service, in place of a token."""
    return COMMAND_PREFIX + codes.make(key_of(folder), COMMAND, now + COMMAND_LASTS)


def _local(key: str) -> Credential:
    return Credential(key, LOCAL, Role.ADMIN, GRANTED[Role.ADMIN])


class Access:
    """`wall` is Unix time, which may jump; `steady` goes evenly.  Both in seconds."""

    def __init__(
        self,
        folder: Folder,
        users: Sequence[User],
        nobody: Role | None,
        wall: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        """`nobody` is the role of whoever shows nothing.  Nothing is read before `open`."""
        self.folder = folder
        self.wall = wall
        self.steady = steady
        self.sessions = Sessions(steady)
        self.users: Mapping[str, User] = {}
        self.nobody: Credential | None = None
        self.change(users, nobody)
        self._key = secrets.token_urlsafe(32)  # Nobody's, until the folder's is read.
        self._tokens: dict[str, tokens.Token] = {}
        self._stamp: Stamp | None = None
        self._live: set[str] = set()
        self._ended: dict[str, float] = {}
        self._saved = steady()
        self._complaint = ""

    def open(self) -> None:
        """Read what is kept.  Raises AccessError."""
        self.folder.make()
        self._key = key_of(self.folder)
        self._read_tokens()
        text = self.folder.read(SESSIONS)
        try:
            if text is not None:
                self.sessions.unpack(text, self.wall())
        except ValueError as error:
            log.warning("%s is damaged (%s): everybody has to log in again", SESSIONS, error)
        self._live = self._valid()

    def change(self, users: Sequence[User], nobody: Role | None) -> None:
        """Others may in from now on.  Whose password or role is another one has to log in again."""
        self.users = {user.name: user for user in users}
        self.nobody = anonymous(nobody) if nobody else None

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers share cookies among all ports of a host, so it is one of its own."""
        return "monitor-" + hashlib.sha256(b"cookie\0" + self._key.encode()).hexdigest()[:8]

    def bearer(self, shown: str) -> Credential | None:
        """Who shows this token, or this code of a command."""
        now = self.wall()
        if shown.startswith(COMMAND_PREFIX):
            code = shown.removeprefix(COMMAND_PREFIX)
            return _local("command") if codes.nonce(self._key, COMMAND, code, now) else None
        token = self._tokens.get(digest(shown))
        if token is None or token.is_over(now):
            return None
        return Credential(token.key, token.name, token.role, token.may)

    def session(self, shown: str) -> Credential | None:
        """Whose session has this name."""
        held = self.sessions.get(shown)
        if held is None or self._stamps().get(held.name) != held.stamp:
            return None
        role = Role.ADMIN if held.name == LOCAL else self.users[held.name].role
        return Credential(held.key, held.name, role, GRANTED[role], ambient=True)

    def enter(self, code: str) -> str | None:
        """Begin a session by a code, which is used up; the session's name, or None."""
        nonce = codes.nonce(self._key, LINK, code, self.wall())
        if nonce is None or not self.sessions.use(nonce):
            return None
        return self._begin(LOCAL, self._stamps()[LOCAL])

    def begin(self, user: User) -> str:
        """Begin a session of a user whose password was right; its name for the browser."""
        return self._begin(user.name, user.stamp)

    def end(self, shown: str) -> None:
        """Log out."""
        if self.sessions.end(shown):
            self.save()

    def sweep(self, used: AbstractSet[str]) -> frozenset[str]:
        """Keys of credentials that have ended of late; those in `used` have a page open, which is a use."""
        now = self.steady()
        self.sessions.keep(used)
        self._look_at_tokens()
        valid = self._valid()
        ended = (self._live | used) - valid
        self._live = valid
        self._ended = {key: at for key, at in self._ended.items() if now - at < TOLD and key not in valid}
        self._ended |= dict.fromkeys(ended, now)
        if ended or now - self._saved >= SAVED:
            self.save()
        return frozenset(self._ended)

    def _begin(self, name: str, stamp: str) -> str:
        secret = self.sessions.begin(name, stamp)
        self.save()
        return secret

    def _valid(self) -> set[str]:
        now = self.wall()
        sessions = self.sessions.sweep(self._stamps()) if self.sessions else set()
        held = {token.key for token in self._tokens.values() if not token.is_over(now)}
        return sessions | held | {"command"} | ({self.nobody.key} if self.nobody else set())

    def _stamps(self) -> dict[str, str]:
        return {LOCAL: digest(f"{LOCAL}\0{self._key}")} | {
            user.name: user.stamp for user in self.users.values()
        }

    def _look_at_tokens(self) -> None:
        try:
            if self.folder.stamp(tokens.FILE) != self._stamp:
                self._read_tokens()
        except AccessError as error:
            self._complain(f"the tokens stay as they were: {error}")

    def _read_tokens(self) -> None:
        self._stamp = self.folder.stamp(tokens.FILE)
        self._tokens = {token.hashed: token for token in tokens.read(self.folder)}

    def save(self) -> None:
        """Write down who is logged in, for the next start."""
        self._saved = self.steady()
        try:
            self.folder.write(SESSIONS, self.sessions.packed(self.wall()), lasting=False)
        except AccessError as error:
            self._complain(f"a restart will ask everybody to log in again: {error}")

    def _complain(self, text: str) -> None:
        """Once, as this comes again every second."""
        if text != self._complaint:
            self._complaint = text
            log.error("%s", text)
