"""What this machine's shell says is no concern of the tests: they see the same surroundings everywhere."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import MutableMapping

OURS = ("GOLDEN", "NODE", "CHROMIUM", "SEED", "FLIPS", "HISTORIES", "LOGGER", "PEER")
"""What is said to the tests themselves, behind MONITOR_."""
OF_SYSTEMD = (
    *("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"),
    *("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "RUNTIME_DIRECTORY", "CREDENTIALS_DIRECTORY"),
    *("JOURNAL_STREAM", "INVOCATION_ID"),
)
"""What a unit that runs the tests has, and a service that they start must not take for its own."""
OF_A_TERMINAL = ("COLUMNS", "LINES")
HERE = "127.0.0.1,localhost"
SHORT, LONGEST = "/tmp", 20
"""Where files are made if the place for them has a longer name: that of a socket has 107 bytes (unix(7)), and
most of them are taken by the names of tests."""
PATIENCE = 120.0
"""Seconds for what is awaited: only what hangs takes so long, on a slow and busy machine as well."""
_SLOW = re.compile(r"collector \S+: fails: TimeoutError: (took|no answer in) [\d.]+ s")


def settle(environ: MutableMapping[str, str]) -> None:
    """Take out settings and what systemd says, and let no proxy stand before this machine itself."""
    settings = [
        name for name in environ if name.startswith("MONITOR_") and name.removeprefix("MONITOR_") not in OURS
    ]
    for name in (*settings, *OF_SYSTEMD, *OF_A_TERMINAL):
        environ.pop(name, None)
    for name in ("no_proxy", "NO_PROXY"):
        environ[name] = ",".join(filter(None, (environ.get(name), HERE)))
    if len(tempfile.gettempdir()) > LONGEST and os.access(SHORT, os.W_OK | os.X_OK):
        environ["TMPDIR"] = tempfile.tempdir = SHORT
    # What tests write is as readable as on most machines; what must not be is given its mode by the service.
    os.umask(0o022)


def slowness(line: str) -> bool:
    """Whether a line of log tells of this machine alone: a busy one keeps collectors from running."""
    return _SLOW.search(line) is not None
