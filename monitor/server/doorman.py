"""Passwords, compared one at a time and no faster than a person types.

A hash takes some 40 ms of a core, which would be 40 ms without a tick for everybody.  So it is made in a
thread, the only one in the service: it waits for no file and no peer, so it cannot hang, and it does not
hold the interpreter while it counts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor  # noqa: TID251 - it only computes, and cannot hang
from math import ceil

from monitor.access import Access, User
from monitor.access.attempts import Attempts, network
from monitor.access.passwords import LONGEST, NOBODY, matches
from monitor.server.errors import Failure
from monitor.telemetry import Telemetry

log = logging.getLogger(__name__)

WAITING = 10
"""Log-ins at once; one more is sent away."""
WRONG = "The name or the password is wrong."


class Doorman:
    """Says who it is, by name and password."""

    def __init__(
        self, access: Access, telemetry: Telemetry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.access = access
        self.telemetry = telemetry
        self.clock = clock
        self.attempts = Attempts()
        self._thread = ThreadPoolExecutor(1, "password")
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def admit(self, name: str, password: str, address: str) -> User:
        """The user, if the password is right.  Raises Failure."""
        keys = f"user {name[:64]}", f"address {network(address)}"
        self._pause(keys)
        if self._waiting >= WAITING:
            self.telemetry.logins["full"] += 1
            raise Failure(503, "busy", "Too many are logging in at once.", {"Retry-After": "1"})
        self._waiting += 1
        try:
            async with self._turn:
                self._pause(keys)  # Those before may have used up the tries.
                return await self._compare(name, password, address, keys)
        finally:
            self._waiting -= 1

    def _pause(self, keys: tuple[str, str]) -> None:
        seconds = ceil(self.attempts.pause(self.clock(), *keys))
        if seconds:
            self.telemetry.logins["paused"] += 1
            text = f"There were too many wrong tries; the next is possible in {seconds} seconds."
            raise Failure(429, "too_many_tries", text, {"Retry-After": str(seconds)})

    async def _compare(self, name: str, password: str, address: str, keys: tuple[str, str]) -> User:
        user = self.access.users.get(name)
        hash_ = user.password if user else NOBODY
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(self._thread, matches, password[: LONGEST + 1], hash_)
        if user is None or not right:
            self.attempts.wrong(self.clock(), *keys)
            self.telemetry.logins["wrong"] += 1
            # What is no user's name may be a password, typed into the wrong field.
            log.info("log-in refused: %s, from %s", user.name if user else "an unknown user", address)
            raise Failure(401, "wrong_login", WRONG)
        self.attempts.right(keys[0])
        self.telemetry.logins["right"] += 1
        log.info("%s logged in, from %s", user.name, address)
        return user
