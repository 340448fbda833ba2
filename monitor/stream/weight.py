"""How much memory a request takes while it waits to be answered."""

from __future__ import annotations

from sys import getsizeof

from monitor.formats.live import Message, MessageError, Subscribe

SMALL = 1024
"""Bytes, of everything that is not text, and of texts that are short by rule."""


def weight(message: Message | MessageError) -> int:
    """In bytes, rather too many than too few."""
    if isinstance(message, MessageError):
        return SMALL + getsizeof(str(message))
    if isinstance(message, Subscribe):
        texts = (*message.queries, *message.variables, *message.variables.values(), message.board or "")
        return SMALL + 16 * len(texts) + sum(map(getsizeof, texts))
    return SMALL
