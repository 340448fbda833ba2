"""Values of settings as text and marks, and what differs between two configurations."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Takes(Enum):
    """What brings a changed setting into effect; every setting says one of them."""

    RELOAD = "reload"
    RESTART = "restart"


class Fact(NamedTuple):
    """One value."""

    text: str
    """As a file has it; empty for an entry of a list of groups, which is too much for a line."""
    mark: str
    """Equal marks mean equal values."""


class Change(NamedTuple):
    """One value that two configurations do not share."""

    path: str
    old: Fact | None
    """None where there is no such entry."""
    new: Fact | None
    takes: Takes

    def __str__(self) -> str:
        brings = "reload" if self.takes is Takes.RELOAD else "needs a restart"
        return f"{self.path}: {self.what} ({brings})"

    @property
    def what(self) -> str:
        """What has changed, in words."""
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        if not self.old.text or self.old.text == self.new.text:
            return "changed"
        return f"{self.old.text} -> {self.new.text}"


class Told(NamedTuple):
    """What is told of a configuration to others: every value by its key path."""

    key: bytes = b""
    """Of the digests."""
    facts: Mapping[str, Fact] = {}
