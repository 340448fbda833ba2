"""How much more a client may be sent before it acknowledges (rule 5 of docs/protocol.md).

A browser whose page is busy stops answering pings once about 120 kB lie unread in its pipe (measured in
Chromium), so a page that does not read must not be fed.
"""

from __future__ import annotations

from typing import NamedTuple


class Sent(NamedTuple):
    """A message with columns that is not acknowledged yet."""

    feed: int
    n: int
    size: int
    at: float


class Credit:
    """Messages and bytes sent and not acknowledged, within a limit of each."""

    __slots__ = ("_sent", "_size", "messages", "size")

    def __init__(self, messages: int, size: int) -> None:
        self.messages = messages
        self.size = size
        """Bytes."""
        # A list, as it is short and there is one for each client: an empty deque takes 600 bytes.
        self._sent: list[Sent] = []
        self._size = 0

    def left(self) -> bool:
        """Whether one more message may go; it may overshoot the size, since a message is never cut."""
        return len(self._sent) < self.messages and self._size < self.size

    def rest(self) -> tuple[int, int]:
        """Messages and bytes that may be sent before one more may not."""
        return self.messages - len(self._sent), self.size - self._size

    def spend(self, sent: Sent) -> None:
        self._sent.append(sent)
        self._size += sent.size

    def acknowledge(self, feed: int, n: int) -> None:
        """Column n of the feed was painted: with it all that was sent before, as messages arrive in order."""
        covered = 0
        for place, sent in enumerate(self._sent, start=1):
            if sent.feed == feed and sent.n <= n:
                covered = place
        self._size -= sum(sent.size for sent in self._sent[:covered])
        del self._sent[:covered]

    def clear(self) -> None:
        """Everything sent counts as read."""
        self._sent.clear()
        self._size = 0

    def waiting_since(self) -> float | None:
        """When the oldest unacknowledged message was sent."""
        return self._sent[0].at if self._sent else None
