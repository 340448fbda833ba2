"""Passwords, as argon2id hashes (RFC 9106) in the PHC string format.

A hash takes 19 MiB and 2 passes, as the OWASP Password Storage Cheat Sheet asks for at least, and some 40 ms.
argon2 is loaded when it is first needed: a service without users never does.
"""

import unicodedata

from .folder import AccessError

MEMORY = 19 << 10
"""KiB."""
PASSES = 2
SHORTEST, LONGEST = 8, 1024
"""Characters of a password."""
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$7nYFpVpPmQ5kqLJDKpLwQB6dCRY1Y3v8i2k0zYqM0mM"
"""What the password of an unknown user is compared with, so that it takes as long as for a known one."""


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
