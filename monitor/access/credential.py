"""What a request has shown: who it is, and what that one may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .roles import GRANTED, Permission, Permissions, Role


@dataclass(frozen=True, slots=True)
class Credential:
    """Valid at the moment at which it was given out; `key` says later whether it still is."""

    key: str
    """Names what it rests on (a session, a token) without being of use to anybody who reads it."""
    name: str
    """Who, for people to read; empty for somebody unknown."""
    role: Role
    may: Permissions
    ambient: bool = False
    """Whether a browser shows it by itself, whoever made it ask."""


def packed(credential: Credential) -> list[Any]:
    """As plain data, for another process."""
    may = sorted(permission.value for permission in credential.may)
    return [credential.key, credential.name, credential.role.value, may]


def unpacked(data: Sequence[Any]) -> Credential:
    """What `packed` made."""
    key, name, role, may = data
    return Credential(key, name, Role(role), frozenset(map(Permission, may)))


def anonymous(role: Role) -> Credential:
    """That of everybody who shows nothing."""
    return Credential(f"anonymous {role.value}", "", role, GRANTED[role])
