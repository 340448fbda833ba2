"""TLS: who the service is, which may change while it runs, and connections that shake hands first.

The settings are those of RFC 9325: TLS 1.2 with forward secrecy and authenticated encryption, or 1.3; no
compression, no renegotiation.  It relies on these of Tornado's internals, and tests/server/test_tls.py fails
when they change: `SSLIOStream._do_ssl_handshake` and what it sets.
"""

from __future__ import annotations

import logging
import socket
import ssl
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tornado.iostream import SSLIOStream

from monitor.server.certificate import expiry, first_certificate
from monitor.telemetry import Telemetry, Validity

log = logging.getLogger(__name__)

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all good."""
OTHERS = stat.S_IWGRP | stat.S_IRWXO
"""What nobody but the owner may do with a key.  A group may read it: Debian has one for it, ssl-cert."""

Seen = tuple[tuple[int, int, int] | None, ...]


class TlsError(Exception):
    """Files that cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Files:
    """Paths; the authorities of clients may be none."""

    certificate: str
    key: str
    client_ca: str = ""

    def seen(self) -> Seen:
        """What changes when one of them does."""
        return tuple(map(look_of, (self.certificate, self.key, self.client_ca)))


class Identity:
    """Certificate and key, as they are in their files.

    The files are local and small, so they are read by the event loop: three calls of stat(2) a sweep.
    """

    def __init__(self, files: Files, telemetry: Telemetry) -> None:
        """Raises TlsError."""
        self.files = files
        self.telemetry = telemetry
        self._seen = self._used = files.seen()
        self.context, end = loaded(files)
        self._said = ""
        self._use(end)

    def stream(self, connection: socket.socket, **options: Any) -> TlsStream:
        """A stream over an accepted connection, which shakes hands when it is first read.

        Raises OSError where the connection is gone.
        """
        over = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return TlsStream(over, self.telemetry, ssl_options=self.context, **options)

    def look(self) -> None:
        """Use the files anew once they have changed, and have stayed as they are since the last look.

        So a pair of which one half is written is not tried, unless it stays so.
        """
        seen, before = self.files.seen(), self._seen
        self._seen = seen
        if seen == self._used or seen != before:
            return
        self._used = seen
        try:
            self.context, end = loaded(self.files)
        except TlsError as error:
            self._keep(str(error))
        else:
            log.info("the certificate in %s has been read anew", self.files.certificate)
            self._said = ""
            self._use(end)

    def _use(self, end: float) -> None:
        self.telemetry.certificate = Validity(end, stale=False)
        if end <= time.time():
            log.warning("the certificate in %s has expired; browsers refuse it", self.files.certificate)

    def _keep(self, why: str) -> None:
        assert self.telemetry.certificate is not None
        self.telemetry.certificate = self.telemetry.certificate._replace(stale=True)
        if why != self._said:
            log.error("%s; the certificate read before stays in use", why)
            self._said = why


class TlsStream(SSLIOStream):
    """Counts handshakes that fail, where Tornado logs each: a stranger must not fill the log."""

    def __init__(self, connection: ssl.SSLSocket, telemetry: Telemetry, **options: Any) -> None:
        self.telemetry = telemetry
        super().__init__(connection, **options)

    def _do_ssl_handshake(self) -> None:
        self._handshake_reading = self._handshake_writing = False
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._handshake_reading = True
        except ssl.SSLWantWriteError:
            self._handshake_writing = True
        except (OSError, AttributeError) as error:  # The latter if it was reset before it was wrapped.
            self.telemetry.handshakes_failed += 1
            self.close(exc_info=error)
        else:
            self._ssl_accepting = False
            self._finish_ssl_connect()


def look_of(path: str) -> tuple[int, int, int] | None:
    """What changes when a file does; None where it cannot be seen."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def loaded(files: Files) -> tuple[ssl.SSLContext, float]:
    """A context that shows the certificate, and when that ends (Unix time).  Raises TlsError."""
    end = end_of(files.certificate)
    judge_mode(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, files.key, password=refuse_password)
    except ssl.SSLError as error:
        raise TlsError(why_not(files, error)) from error
    if files.client_ca:
        require_clients(context, files.client_ca)
    return context, end


def end_of(path: str) -> float:
    try:
        return expiry(first_certificate(read(path)))
    except ValueError as error:
        raise TlsError(f"{path} is no certificate in PEM: {error}") from error


def read(path: str) -> str:
    try:
        return Path(path).read_text("ascii", errors="replace")
    except OSError as error:
        raise TlsError(f"cannot read {path}: {error.strerror}") from error


def judge_mode(path: str) -> None:
    """Raises TlsError for a key that others than its owner and its group's readers can get at."""
    read(path)
    mode = stat.S_IMODE(Path(path).stat().st_mode)
    if mode & OTHERS:
        raise TlsError(f"the key {path} is open to others (mode {mode:04o}): run chmod 640 {path}")


def refuse_password() -> NoReturn:
    raise TlsError("the key has a password, which nobody is there to type: take it off with `openssl pkey`")


def why_not(files: Files, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key {files.key} does not belong to the certificate {files.certificate}"
    reason = (error.reason or "not PEM").lower().replace("_", " ")
    return f"cannot use {files.certificate} with the key {files.key}: {reason}"


def require_clients(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"cannot read authorities from {path}: {error.strerror or error}") from error
    context.verify_mode = ssl.CERT_REQUIRED
