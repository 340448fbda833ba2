"""Values that the parts of queries have in common, kept for one moment."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class Shared:
    """Values by what they follow from.  Once they hold `most` numbers together, no more are kept."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._held: dict[Hashable, Any] = {}

    def get(self, key: Hashable) -> Any:
        """What was kept; None where nothing was."""
        return self._held.get(key)

    def keep(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value that holds `size` numbers, if there is room."""
        if size <= self._left:
            self._left -= size
            self._held[key] = value
