"""The journal's native protocol (systemd.io, "Native Journal Protocol"): an entry is a datagram of fields.

A field is `NAME=value` and a newline; a value with a newline in it follows its name and its length in eight
bytes instead.  An entry that is too large for a datagram is handed over as a sealed file in memory.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import socket
import struct
from collections.abc import Mapping
from typing import TextIO

ADDRESS = "/run/systemd/journal/socket"
LONGEST = 64
"""Characters of a field's name."""
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Least level of each of syslog(3)'s priorities; what is below is LOG_DEBUG."""
DEBUG = 7


class Journal:
    """The way to journald.  Nothing waits."""

    def __init__(self, address: str = "") -> None:
        self.address = address or ADDRESS
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, fields: Mapping[str, str]) -> None:
        """Write an entry.  Raises OSError when journald is not there, or has no room."""
        data = b"".join(field(key, value) for key, value in fields.items())
        try:
            self._socket.sendto(data, self.address)
        except OSError as error:
            if error.errno not in {errno.EMSGSIZE, errno.ENOBUFS}:
                raise
            self._send_file(data)

    def close(self) -> None:
        self._socket.close()

    def _send_file(self, data: bytes) -> None:
        descriptor = os.memfd_create("journal-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(data)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
            rights = socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor)
            self._socket.sendmsg([], [rights], 0, self.address)
        finally:
            os.close(descriptor)


def field(name: str, value: str) -> bytes:
    data = value.encode(errors="replace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)


def name(text: str) -> str:
    """A text as the name of a field: capitals, digits and underscores."""
    return re.sub(r"[^A-Z0-9_]", "_", text.upper())[:LONGEST]


def priority(level: int) -> int:
    """That of syslog(3) for a level of `logging`."""
    return next((number for least, number in PRIORITIES if level >= least), DEBUG)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream leads to the journal: $JOURNAL_STREAM is its device and inode (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
