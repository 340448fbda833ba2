"""When a certificate ends (RFC 5280 section 4.1, in DER: X.690), which the ssl module tells of no own one."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

SEQUENCE, EXPLICIT_0, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
FORMATS = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
END = "-----END CERTIFICATE-----"


def first_certificate(text: str) -> bytes:
    """The first certificate of a PEM text (RFC 7468), in DER.  Raises ValueError where there is none."""
    start = text.find("-----BEGIN CERTIFICATE-----")
    end = text.find(END, start)
    if start < 0 or end < 0:
        raise ValueError("no certificate in it")
    return ssl.PEM_cert_to_DER_cert(text[start : end + len(END)])


def expiry(certificate: bytes) -> float:
    """notAfter of a certificate in DER, Unix time.  Raises ValueError where it is none."""
    _, fields, _ = element(certificate, SEQUENCE)
    _, rest, _ = element(fields, SEQUENCE)
    if rest[:1] == bytes([EXPLICIT_0]):  # The version, which those of 1988 do not have.
        _, _, rest = element(rest)
    for _ in ("serial number", "algorithm", "issuer"):
        _, _, rest = element(rest)
    _, validity, _ = element(rest, SEQUENCE)
    _, _, after = element(validity)
    tag, text, _ = element(after)
    if tag not in FORMATS:
        raise ValueError("a validity without a time")
    time = datetime.strptime(text.decode("ascii"), FORMATS[tag]).replace(tzinfo=UTC)
    if tag == UTC_TIME and time.year >= 2050:  # 4.1.2.5.1; Python has the years from 69 in the past alone.
        time = time.replace(year=time.year - 100)
    return time.timestamp()


def element(data: bytes, expected: int | None = None) -> tuple[int, bytes, bytes]:
    """Tag and content of the first element, and what follows it.  Raises ValueError for another tag."""
    if len(data) < 2 or expected not in (None, data[0]):
        raise ValueError("not the DER of a certificate")
    size, start = data[1], 2
    if size & 0x80:  # The length is in so many bytes (X.690, 8.1.3.5).
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    if len(data) < start + size:
        raise ValueError("a certificate without its end")
    return data[0], data[start : start + size], data[start + size :]
