"""A doorkeeper with clocks that a test sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.access import Access, Folder, Role, User

ALICE = User("alice", "hash of alice", Role.VIEWER)
BOB = User("bob", "hash of bob", Role.OPERATOR)


class Clocks:
    """Unix time and time that goes evenly, in seconds."""

    def __init__(self) -> None:
        self.wall = 1_764_000_000.0
        self.steady = 5.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "access")
    made.make()
    return made


def opened(folder: Folder, clocks: Clocks, *users: User, nobody: Role | None = None) -> Access:
    made = Access(folder, users or (ALICE, BOB), nobody, lambda: clocks.wall, lambda: clocks.steady)
    made.open()
    return made


@pytest.fixture
def access(folder: Folder, clocks: Clocks) -> Access:
    return opened(folder, clocks)
