"""Who may look, and at what: roles, users, sessions, tokens.  Knows no HTTP; clocks are passed in."""

from .access import Access, User
from .credential import Credential
from .folder import FOLDER, AccessError, Folder
from .invitation import invitation, reachable, tell_address
from .roles import Permission, Permissions, Role

__all__ = [
    "FOLDER",
    "Access",
    "AccessError",
    "Credential",
    "Folder",
    "Permission",
    "Permissions",
    "Role",
    "User",
    "invitation",
    "reachable",
    "tell_address",
]
