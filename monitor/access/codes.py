"""Codes that prove that somebody could read the key: for one purpose, for a short time.

`code = nonce | expiry | HMAC-SHA256(key, purpose | nonce | expiry)` (RFC 2104), in base64url.  Whoever has
the key can make one, whether the service runs or not; the key itself never leaves its file.
"""

import base64
import hashlib
import hmac
import secrets
from binascii import Error

NONCE, EXPIRY, MAC = 12, 6, 24
"""Bytes; all three make no padding in base64."""
LENGTH = (NONCE + EXPIRY + MAC) * 4 // 3


def make(key: str, purpose: str, expires: float) -> str:
    """A new code; `expires` is Unix time in seconds."""
    said = secrets.token_bytes(NONCE) + int(expires).to_bytes(EXPIRY)
    return base64.urlsafe_b64encode(said + _mac(key, purpose, said)).decode()


def nonce(key: str, purpose: str, code: str, now: float) -> str | None:
    """The code's nonce, in hexadecimal; None where it is not right, or its time is over."""
    if len(code) != LENGTH:
        return None
    try:
        data = base64.b64decode(code, b"-_", validate=True)
    except (Error, ValueError):
        return None
    said, mac = data[:-MAC], data[-MAC:]
    sound = hmac.compare_digest(mac, _mac(key, purpose, said))
    return said[:NONCE].hex() if sound and now < int.from_bytes(said[NONCE:]) else None


def _mac(key: str, purpose: str, said: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose.encode() + b"\0" + said, hashlib.sha256)[:MAC]
