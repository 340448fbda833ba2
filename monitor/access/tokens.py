"""Tokens for programs: named, of a role or less, expiring, revocable; the disk holds their hashes alone.

They are made and revoked by commands while the service runs, which reads the file again when it changes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .folder import AccessError, Folder
from .roles import GRANTED, Permission, Permissions, Role
from .sessions import digest

FILE = "tokens.json"
PREFIX = "mon_"
"""Lets people and scanners see what a string is."""
VERSION = 1
MOST = 1000


class Token(NamedTuple):
    """What is known of a token; its hash says nothing of it."""

    name: str
    hashed: str
    role: Role
    scope: tuple[Permission, ...]
    """What it may of that role; empty for all."""
    created: int
    """Unix time in seconds."""
    expires: int | None

    @property
    def key(self) -> str:
        return f"token {self.hashed[:16]}"

    @property
    def may(self) -> Permissions:
        granted = GRANTED[self.role]
        return granted & {Permission.NOTHING, *self.scope} if self.scope else granted

    def is_over(self, now: float) -> bool:
        return self.expires is not None and now >= self.expires


def create(
    folder: Folder, name: str, role: Role, scope: Sequence[Permission], now: int, expires: int | None
) -> str:
    """Make a token and keep its hash; the token, which nobody can read again.

    Raises AccessError where there is one of the name, and for a name that is none.
    """
    if not (name.isprintable() and name.strip() == name and 1 <= len(name) <= 64):
        raise AccessError(f"found the name {name!r}, expected 1 to 64 characters, none of them odd")
    secret = PREFIX + secrets.token_urlsafe(32)
    made = Token(name, digest(secret), role, tuple(scope), now, expires)
    with folder.alone():
        held = read(folder)
        if any(token.name == name for token in held):
            raise AccessError(f"there is a token {name!r} already; revoke it first, or choose another name")
        if len(held) >= MOST:
            raise AccessError(f"there are {MOST} tokens already; revoke those that nobody uses")
        folder.write(FILE, packed([*held, made]))
    return secret


def revoke(folder: Folder, name: str) -> None:
    """Raises AccessError where there is none of the name."""
    with folder.alone():
        held = read(folder)
        left = [token for token in held if token.name != name]
        if len(left) == len(held):
            raise AccessError(f"there is no token {name!r}; `monitor token list` lists those there are")
        folder.write(FILE, packed(left))


def read(folder: Folder) -> list[Token]:
    """In the order in which they were made."""
    text = folder.read(FILE)
    try:
        return unpacked(text) if text is not None else []
    except (ValueError, KeyError, TypeError) as error:
        path = folder.path / FILE
        raise AccessError(f"{path} is damaged ({error}); remove it, and make the tokens anew") from error


def packed(tokens: Iterable[Token]) -> str:
    return json.dumps({"version": VERSION, "tokens": [token._asdict() for token in tokens]}, indent=1)


def unpacked(text: str) -> list[Token]:
    """Raises ValueError, KeyError or TypeError for what `packed` did not make."""
    data = json.loads(text)
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']}")
    return [
        Token(
            name=str(row["name"]),
            hashed=str(row["hashed"]),
            role=Role(row["role"]),
            scope=tuple(map(Permission, row["scope"])),
            created=int(row["created"]),
            expires=None if row["expires"] is None else int(row["expires"]),
        )
        for row in data["tokens"]
    ]
