"""The kinds of collectors there are, by what they can be asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from monitor.collect.host import Host
from monitor.model import Block, Event


class Collector(Protocol):
    """A source that answers at once."""

    def collect(self, host: Host, /) -> Iterable[Block]:
        """What is measured now.  Raises FileNotFoundError where the host has no such thing."""


@runtime_checkable
class Rare(Protocol):
    """A source of what hardly changes: asked every few seconds of passes, its last answer stands in between.

    The files that it reads are closed again, so that they take no descriptor meanwhile.
    """

    every: float
    """Seconds between two questions."""

    def collect(self, host: Host, /) -> Iterable[Block]:
        """What is measured now.  Raises FileNotFoundError where the host has no such thing."""


@runtime_checkable
class Background(Protocol):
    """A source that answers when it can: asked every few seconds, its last answer stands in between."""

    every: float
    """Seconds between two questions."""
    limit: float
    """Seconds after which an answer is given up."""

    async def refresh(self, host: Host, /) -> Iterable[Block]:
        """What is measured.  Raises FileNotFoundError where the host has no such thing."""

    async def close(self) -> None:
        """Let go of all that it holds."""


@runtime_checkable
class Holding(Protocol):
    """A source that holds something of its own, such as open files."""

    def close(self) -> None: ...


@runtime_checkable
class Telling(Protocol):
    """A source that notes what happens beside what it measures."""

    def happened(self) -> Iterable[Event]:
        """What happened since it was asked last."""
