"""Settings of who may look."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from .problems import conflict, expected
from .section import Form, Secret, Section, Takes

LOCAL = "local"
"""Who logs in with a link."""
PHC = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)
MOST_MEMORY, MOST_PASSES, MOST_LANES = 128 << 10, 10, 8
"""What a log-in may cost with a hash that was made elsewhere; the first in KiB."""


def is_hash(text: str) -> bool:
    """Whether this is an argon2id hash (RFC 9106, as a PHC string) that takes no more than a log-in may."""
    found = PHC.fullmatch(text)
    if found is None:
        return False
    memory, passes, lanes = map(int, found.groups())
    return 8 * lanes <= memory <= MOST_MEMORY and 1 <= passes <= MOST_PASSES and 1 <= lanes <= MOST_LANES


def read_hash(text: str) -> str:
    if not is_hash(text):
        raise expected("an argon2id hash, as `monitor hash-password` prints it")
    return text


def read_name(text: str) -> str:
    if not (text.strip() == text and text.isprintable() and 1 <= len(text) <= 64):
        raise expected("a name of 1 to 64 characters, without a space before or behind it")
    if text == LOCAL:
        raise expected(f"another name than {LOCAL}, which is that of whoever logs in with a link")
    return text


class User(Section):
    """Somebody who may log in."""

    name: Annotated[str, AfterValidator(read_name)]
    """By which this one logs in."""
    password: Annotated[str, AfterValidator(read_hash), Form("argon2id hash"), Secret, Field(repr=False)]
    """The password's hash, as `monitor hash-password` prints it; or `file:PATH` of a file with it alone, or
    `credential:NAME` of a credential of systemd."""
    role: Literal["viewer", "operator", "admin"] = "viewer"
    """`viewer`: boards and queries; `operator`: who watches, too; `admin`: everything."""


class Access(Section):
    """Who may look.  Without users only those may who log in with the link that the start and
    `monitor login-link` print, and programs with a token (`monitor token create`)."""

    anonymous: Annotated[Literal["none", "viewer", "operator"], Takes.RELOAD] = "none"
    """What everybody may who can reach the address, without logging in: nothing, or what this role may."""
    users: Annotated[tuple[User, ...], Strict(False), Form("list of users"), Takes.RELOAD] = ()
    """Who may log in, each with `name`, `password` (the hash that `monitor hash-password` prints) and `role`:
    `viewer` (boards and queries), `operator` (who watches, too) or `admin`.  Another password or role ends
    what that user has open."""

    @model_validator(mode="after")
    def check_names(self) -> Self:
        names = [user.name for user in self.users]
        repeated = next((place for place, name in enumerate(names) if name in names[:place]), None)
        if repeated is not None:
            raise conflict(self, f"users.{repeated}.name", "users", "a name that no user before has")
        return self
