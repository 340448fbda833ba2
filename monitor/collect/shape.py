"""Numbers found one by one, and the layout that they have for as long as the same ones are found."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from monitor.collect.table import Entry, layout
from monitor.model import Block

Key = TypeVar("Key", bound=Hashable)


class Shape(Generic[Key]):
    """Turns values by key into a block; `entry` tells what a key stands for, and is asked again only when
    other keys were found or in another order."""

    def __init__(self, entry: Callable[[Key], Entry]) -> None:
        self._entry = entry
        self._keys: tuple[Key, ...] = ()
        self._layout = layout(())

    def block(self, found: Mapping[Key, float]) -> Block:
        """The values in their order."""
        keys = tuple(found)
        if keys != self._keys:
            self._keys, self._layout = keys, layout(tuple(map(self._entry, keys)))
        return Block(self._layout, list(found.values()))
