"""Passwords, as argon2id hashes (RFC 9106) in the PHC string format.

A hash takes 19 MiB and 2 passes, as the OWASP Password Storage Cheat Sheet asks for at least, and some 40 ms.
argon2 is loaded when it is first needed: a service without users never does.
"""

import re
import unicodedata

from .folder import AccessError

MEMORY = 19 << 10
"""KiB."""
PASSES = 2
SHORTEST, LONGEST = 8, 1024
"""Characters of a password."""
FORM = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)
MOST_MEMORY, MOST_PASSES, MOST_LANES = 128 << 10, 10, 8
"""What one log-in may cost with hashes that were made elsewhere."""

NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$7nYFpVpPmQ5kqLJDKpLwQB6dCRY1Y3v8i2k0zYqM0mM"
"""What the password of an unknown user is compared with, so that it takes as long as for a known one."""


def is_hash(text: str) -> bool:
    """Whether this is an argon2id hash that takes no more than a log-in may."""
    found = FORM.fullmatch(text)
    if found is None:
        return False
    memory, passes, lanes = map(int, found.groups())
    return 8 * lanes <= memory <= MOST_MEMORY and 1 <= passes <= MOST_PASSES and 1 <= lanes <= MOST_LANES


def hashed(password: str) -> str:
    """Raises AccessError for a password that is too short or too long."""
    from argon2 import PasswordHasher

    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"the password has {len(password)} characters, expected {SHORTEST} to {LONGEST}")
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=1).hash(prepared(password))


def matches(password: str, hash_: str) -> bool:
    """Whether this is the password.  Takes as long when it is not."""
    from argon2.exceptions import VerificationError
    from argon2.low_level import Type, verify_secret

    try:
        return verify_secret(hash_.encode(), prepared(password), Type.ID)
    except VerificationError:
        return False


def prepared(password: str) -> bytes:
    """The same bytes for the same letters, however a keyboard composes them (RFC 8265 section 4.2.2)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
