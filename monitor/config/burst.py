"""Settings of what is recorded many times a second."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from .problems import expected
from .section import Form, Section, Takes
from .units import Between, Duration

Fast = Literal[
    "cpu",
    "diskstats",
    "interrupts",
    "loadavg",
    "meminfo",
    "netdev",
    "netstat",
    "pressure",
    "schedstat",
    "sockstat",
    "softirqs",
    "softnet",
    "stat",
    "vmstat",
]
"""Collectors that read a few files of the kernel's, at once."""


def check_once(names: tuple[Fast, ...]) -> tuple[Fast, ...]:
    if len(set(names)) < len(names):
        raise expected("each name once")
    return names


class Burst(Section):
    """The flight recorder: the newest minute, many times a second, in memory. What is held is kept when an
    operator asks for it (docs/bursts.md)."""

    enabled: Annotated[bool, Takes.RESTART] = False
    """Whether it records. It takes about as much CPU as all the rest on an idle host: some 0.4% of a core."""
    interval: Annotated[Duration, Between("50ms", "1s"), Takes.RESTART] = 0.1
    """Time between two samples."""
    length: Annotated[Duration, Between("10s", "5m"), Takes.RESTART] = 60
    """How much of the past is held."""
    collectors: Annotated[
        tuple[Fast, ...],
        Strict(False),
        Form("list of collectors"),
        Field(min_length=1),
        AfterValidator(check_once),
        Takes.RESTART,
    ] = ("cpu", "diskstats", "netdev", "pressure", "stat")
    """What is recorded, with the options that the collectors have below; at most 1,000 series."""
    keep: Annotated[int, Between(1, 100), Takes.RESTART] = 8
    """How many bursts are kept; one more takes the place of the oldest. Each takes about 0.7 MiB."""
    age: Annotated[Duration, Between("1m", "30d"), Takes.RESTART] = 86400
    """How long a burst is kept; a restart loses them all."""
