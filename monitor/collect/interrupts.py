"""Interrupts by what they are for, on each core: /proc/interrupts.

proc(5): a line of the cores that are online, then one for each interrupt: its number or name, a count for
each core, and what is behind it.  `ERR` and `MIS` have one count for all cores and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.host import Host
from monitor.collect.shape import Shape
from monitor.collect.table import Entry
from monitor.model import Block, Kind, Metric

TOTAL = Metric("node_interrupts_total", Kind.COUNTER, "Interrupts of one kind that a core served.")

Key = tuple[str, str, str]
"""Core, interrupt, and what is behind it."""


class Interrupts:
    def __init__(self) -> None:
        self._shape: Shape[Key] = Shape(entry)

    def collect(self, host: Host) -> Iterator[Block]:
        yield self._shape.block(counts(host.proc("interrupts")))


def counts(text: str) -> dict[Key, float]:
    """Each count by core and interrupt."""
    head, *lines = text.splitlines() or [""]
    cores = [core.removeprefix("CPU") for core in head.split()]
    found: dict[Key, float] = {}
    for line in lines:
        name, colon, rest = line.partition(":")
        if not colon:
            raise ValueError(f"interrupts: a name and a colon expected, found {line!r}")
        numbers = rest.split(maxsplit=len(cores))
        if len(numbers) > len(cores):
            about = numbers.pop().strip()
            found |= {(core, name.strip(), about): float(n) for core, n in zip(cores, numbers, strict=True)}
    return found


def entry(key: Key) -> Entry:
    """The series of a count; of one with a number, the chip stands before the devices."""
    core, name, about = key
    info, _, devices = about.partition(" ") if name.isdigit() else (" ".join(about.split()), "", "")
    labels = {"cpu": core, "type": name, "info": info, "devices": " ".join(devices.split())}
    return TOTAL.at(**{label: value for label, value in labels.items() if value})
