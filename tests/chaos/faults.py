"""What goes wrong, to whom and when: drawn from a seed.  Time is counted in ticks of the service."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

CROWDS, EACH = 3, 2
VIEWERS = CROWDS * EACH
LINKED = tuple(range(0, VIEWERS, EACH))
"""The first viewer of each process is behind the proxy."""
FAULTS = 12


class Kind(NamedTuple):
    """Whom it strikes (one viewer, one behind the proxy, a whole process, the service), and for how long."""

    scope: str
    shortest: int = 0
    longest: int = 0
    state: str = ""
    """What it changes: two faults at once may not change the same of the same."""


KINDS = {
    "reset": Kind("viewer"),
    "finished": Kind("viewer"),
    "dropped": Kind("viewer", 2, 25),
    "lossy": Kind("viewer", 10, 30),
    "hidden": Kind("viewer", 2, 25, "page"),
    "frozen": Kind("viewer", 5, 25, "page"),
    "slowed": Kind("linked", 10, 35, "line"),
    "delayed": Kind("linked", 5, 30, "line"),
    "stopped": Kind("process", 1, 6, "process"),
    "asleep": Kind("process", 18, 35, "process"),
    "stalled": Kind("service", 0, 0, "service"),
    "restarted": Kind("service", 0, 0, "service"),
    "killed": Kind("service", 0, 0, "service"),
}
ONCE = {"stalled", "restarted", "killed"}
"""At most one of each in a run: the service has to be up for a while to have something to send."""


class Fault(NamedTuple):
    kind: str
    begin: int
    end: int
    victims: tuple[int, ...]
    """Numbers of viewers, or of processes; none for the service."""


def drawn(seed: int, ticks: int) -> list[Fault]:
    """A dozen faults that begin within so many ticks, in the order in which they do."""
    random = Random(seed)
    faults: list[Fault] = []
    while len(faults) < FAULTS:
        fault = draw(random, ticks)
        if not any(clash(fault, other) for other in faults):
            faults.append(fault)
    return sorted(faults, key=lambda fault: fault.begin)


def draw(random: Random, ticks: int) -> Fault:
    name = random.choice(list(KINDS))
    kind = KINDS[name]
    begin = random.randint(1, ticks)
    among = {"viewer": range(VIEWERS), "linked": LINKED, "process": range(CROWDS), "service": ()}[kind.scope]
    victims = random.sample(among, random.randint(1, max(1, len(among) // 2))) if among else []
    return Fault(name, begin, begin + random.randint(kind.shortest, kind.longest), tuple(sorted(victims)))


def clash(one: Fault, other: Fault) -> bool:
    """Whether both change the same thing of somebody at the same time."""
    if one.kind == other.kind and one.kind in ONCE:
        return True
    state = KINDS[one.kind].state
    if not state or state != KINDS[other.kind].state:
        return False
    apart = one.end + 2 < other.begin or other.end + 2 < one.begin
    return not apart and (state == "service" or bool(set(one.victims) & set(other.victims)))


def members(crowd: int) -> Iterator[int]:
    """Numbers of the viewers of a process."""
    return iter(range(crowd * EACH, (crowd + 1) * EACH))
