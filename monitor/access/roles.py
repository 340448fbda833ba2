"""What may be done, and what each role may do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias


class Permission(StrEnum):
    """What a route asks for."""

    NOTHING = "nothing"
    """Everybody has it, known or not."""
    VIEW = "view"
    """Boards, queries and the live stream."""
    METRICS = "metrics"
    """What scrapers read."""
    VIEWERS = "viewers"
    """Who watches, from where; and the way to cut one."""
    BURSTS = "bursts"
    """Keeping the last minute, many times a second."""
    ARGUMENTS = "arguments"
    """What the programs were called with that run on the host."""


Permissions: TypeAlias = frozenset[Permission]
"""All that somebody may."""


class Role(StrEnum):
    """Each may what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


VIEWER = frozenset({Permission.NOTHING, Permission.VIEW, Permission.METRICS})
OPERATOR = VIEWER | {Permission.VIEWERS, Permission.BURSTS, Permission.ARGUMENTS}
GRANTED: Mapping[Role, Permissions] = {
    Role.VIEWER: VIEWER,
    Role.OPERATOR: OPERATOR,
    Role.ADMIN: frozenset(Permission),
}
