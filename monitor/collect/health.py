"""Whether something works, and what the log is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger("monitor.collect.loop")

QUIET = 60.0
"""Seconds between two lines of log about the failures of one."""


class Health:
    """Whether something works, logged once for each change; a failure that comes and goes, once a minute."""

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self.good = False
        self._name = name
        self._monotonic = monotonic
        self._error: type[BaseException] | None = None
        self._said: float | None = None
        """When the log was last told of a failure."""
        self._untold = False
        self._ever = False
        """Whether there was ever anything to fail."""

    @property
    def absent(self) -> bool:
        """Whether it is not on this host."""
        return self._error is FileNotFoundError

    def turn(self, error: Exception | None) -> None:
        """Note how it went: None for well, FileNotFoundError for "not on this host"."""
        if error is None:
            if self.good:
                return
            if self._error:
                log.info("%s: works again", self._name)
        elif isinstance(error, FileNotFoundError):
            if self._error is not FileNotFoundError:
                # What was never there is told of all at once, by the loop.
                log.log(logging.INFO if self._ever else logging.DEBUG, "%s: no data: %s", self._name, error)
        elif self._untold or self._error in (None, FileNotFoundError):
            self._complain(error)
        self.good = error is None
        self._ever = self._ever or not isinstance(error, FileNotFoundError)
        self._untold = self._untold and not self.good
        self._error = type(error) if error else None

    def _complain(self, error: Exception) -> None:
        now = self._monotonic()
        self._untold = self._said is not None and now - self._said < QUIET
        if self._untold:
            return
        self._said = now
        ours = not isinstance(error, OSError | ValueError)
        log.warning(
            "%s: fails: %s: %s", self._name, type(error).__name__, error, exc_info=error if ours else None
        )
