"""Certificates for tests, and clients that look at them."""

import ssl
from pathlib import Path

from monitor.commands.certificate import make


def pair(folder: Path, name: str = "monitor", days: int = 2) -> tuple[Path, Path]:
    """A new certificate for this machine and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    for path in (certificate, key):
        path.unlink(missing_ok=True)
    make(certificate, key, ["localhost", "127.0.0.1"], days)
    return certificate, key


def trusting(certificate: Path) -> ssl.SSLContext:
    """What a client needs to trust it."""
    return ssl.create_default_context(cafile=str(certificate))
