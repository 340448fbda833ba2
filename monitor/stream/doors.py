"""How many may watch, in all and from one address."""

from __future__ import annotations

from collections import Counter


class Doors:
    """Counts who is inside; everybody who was let in leaves by `leave`."""

    def __init__(self, clients: int, per_address: int) -> None:
        self.clients = clients
        self.per_address = per_address
        self.inside: Counter[str] = Counter()

    def full_for(self, address: str) -> bool:
        return self.inside.total() >= self.clients or self.inside[address] >= self.per_address

    def enter(self, address: str) -> None:
        self.inside[address] += 1

    def leave(self, address: str) -> None:
        self.inside[address] -= 1
        if not self.inside[address]:
            del self.inside[address]
