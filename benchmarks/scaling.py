"""From measured figures to more viewers than one can measure: `python -m benchmarks.scaling`.

Prints the tables of docs/scaling.md.  The inputs were measured on one machine, a shared one; measure your own
with `python -m benchmarks --only fanout --only workers` and name them: `--write 10 --handshake 500`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from random import Random

SEGMENT = 1448
"""Bytes of TCP payload in an Ethernet packet."""
HEADERS = 78
"""Bytes of Ethernet, IP and TCP around it (with time stamps)."""
PINGS, ACKNOWLEDGEMENTS = 1 / 10, 1 / 10
"""A second and viewer, by default."""
SLOT = 0.01
"""Seconds of a step of the simulated return."""


@dataclass(frozen=True)
class Measured:
    """What one machine was measured to take."""

    write: float = 9.0
    """us of CPU to write a tick to a viewer."""
    rest: float = 17.0
    """us of CPU a second for what a viewer says: acknowledgements, pongs."""
    tick: float = 12.0
    """ms of CPU a second that the main process takes to collect, evaluate and encode."""
    relay: float = 1.2
    """ms of CPU a second that each end of a worker's relay takes."""
    handshake: float = 900.0
    """us of CPU for a viewer that comes: upgrade, subscription and its past."""
    handover: float = 450.0
    """us of it that are the main process's where a worker takes the viewer."""
    frame: float = 260.0
    """Bytes of a tick on the wire."""
    resident: float = 19.5
    """KiB of a process for a viewer."""
    kernel: float = 4.5
    """KiB of the kernel for an idle viewer's socket, its file and its place in epoll."""
    main: float = 65.0
    """MB of the main process without viewers."""
    worker: float = 48.0
    """MB of a worker without viewers."""
    busy: float = 0.6
    """Share of a core that a process may take: the rest is for those who come back all at once."""
    late: float = 250.0
    """ms after the tick by which the last viewer shall have it: a tick is written in one go."""


@dataclass(frozen=True)
class Machine:
    """What so many viewers take of one machine."""

    viewers: int
    processes: int
    cores: float
    memory: float
    """MB, the kernel's with it."""
    packets: float
    """Out and in, a second."""
    megabits: float
    """Out, a second."""
    descriptors: int
    """Of the process that has most."""
    half: float
    """ms from the tick until half of the viewers have it."""
    last: float
    """ms until 99 of 100 have it."""
    back: float
    """s until all have come back when all were cut at once."""


def processes(held: Measured, viewers: int) -> int:
    """The fewest that keep each below its share of a core, and the last viewer from being late."""
    count = 1
    while load(held, viewers, count) > held.busy or written(held, viewers, count) > held.late:
        count += 1
    return count


def written(held: Measured, viewers: int, count: int) -> float:
    """ms after the tick by which a process has written it to all of its viewers."""
    return held.tick + held.relay * (count - 1) + viewers / count * held.write / 1e3


def load(held: Measured, viewers: int, count: int) -> float:
    """Share of a core that the main process takes, which is the busiest."""
    relays = (count - 1) * held.relay
    return (held.tick + relays) / 1e3 + viewers / count * (held.write + held.rest) / 1e6


def delays(held: Measured, viewers: int, count: int, random: Random) -> tuple[float, float]:
    """ms until half, and 99 of 100, of the viewers have been sent a tick; what each takes varies by half."""
    found: list[float] = []
    for _ in range(count):
        clock = held.tick + held.relay * (count - 1)
        for _ in range(viewers // count):
            clock += held.write / 1e3 * random.uniform(0.5, 1.5)
            found.append(clock)
    found.sort()
    return found[len(found) // 2], found[int(len(found) * 0.99)]


def comes_back(held: Measured, viewers: int, count: int, spread: float) -> float:
    """Seconds until all are back who return evenly within `spread`; the ticks go on for those who are."""
    # The main process accepts for all; its own share it serves as well.
    cost = (held.handover + (held.handshake - held.handover) / count) / 1e6
    come = back = clock = 0.0
    while back < viewers - 0.5:
        clock += SLOT
        come = min(viewers, viewers * clock / spread)
        free = max(0.0, 1 - load(held, round(back), count)) * SLOT
        back = min(come, back + free / cost)
    return clock


def machine(held: Measured, viewers: int, random: Random) -> Machine:
    count = processes(held, viewers)
    segments = math.ceil(held.frame / SEGMENT)
    small = PINGS + ACKNOWLEDGEMENTS
    half, last = delays(held, viewers, count, random)
    return Machine(
        viewers=viewers,
        processes=count,
        cores=round(
            (held.tick + 2 * (count - 1) * held.relay) / 1e3 + viewers * (held.write + held.rest) / 1e6, 2
        ),
        memory=held.main + (count - 1) * held.worker + viewers * (held.resident + held.kernel) * 1024 / 1e6,
        # Each tick is acknowledged by one packet, what a viewer says by another.
        packets=viewers * (segments + 1 + 2 * small),
        megabits=viewers * (held.frame + segments * HEADERS) * 8 / 1e6,
        descriptors=math.ceil(viewers / count) + 192,
        half=half,
        last=last,
        back=comes_back(held, viewers, count, spread=max(2.0, 0.002 * viewers)),
    )


def table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def machines(held: Measured, sizes: Sequence[int]) -> str:
    head = (
        "viewers",
        "processes",
        "cores",
        "memory",
        "packets/s",
        "out",
        "descriptors",
        "half",
        "99%",
        "back",
    )
    found = [machine(held, size, Random(size)) for size in sizes]
    lines = [
        (
            f"{each.viewers:,}",
            each.processes,
            f"{each.cores:.2f}",
            f"{each.memory:,.0f} MB",
            f"{each.packets:,.0f}",
            f"{each.megabits:,.0f} Mbit/s",
            f"{each.descriptors:,}",
            f"{each.half:.0f} ms",
            f"{each.last:.0f} ms",
            f"{each.back:.0f} s",
        )
        for each in found
    ]
    return table(head, lines)


def fleet(held: Measured, viewers: int, sizes: Sequence[int]) -> str:
    """Many machines, each of one size, that are sent every frame by a tree of relays."""
    head = ("viewers of each", "machines", "cores in all", "memory in all", "out in all", "into each")
    lines = []
    for size in sizes:
        each, count = machine(held, size, Random(size)), math.ceil(viewers / size)
        lines.append(
            (
                f"{size:,}",
                f"{count:,}",
                f"{each.cores * count:,.0f}",
                f"{each.memory * count / 1e3:,.0f} GB",
                f"{each.megabits * count / 1e6:,.2f} Tbit/s",
                f"{held.frame * 4 * 8 / 1e3:,.0f} kbit/s a feed",
            )
        )
    return table(head, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    for each in fields(Measured):
        parser.add_argument(f"--{each.name}", type=float, default=each.default, metavar="N")
    held = Measured(**vars(parser.parse_args(arguments)))
    print(machines(held, (1000, 5000, 10_000, 20_000, 50_000, 100_000)))
    print()
    print(fleet(held, 10_000_000, (10_000, 50_000, 100_000)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
