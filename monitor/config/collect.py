"""Settings of what is collected on this host."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from .budget import Budget
from .burst import Burst
from .collectors import Collectors
from .problems import expected
from .section import Folder, Section, Takes
from .units import Between, Duration


def check_interval(seconds: float) -> float:
    milliseconds = round(seconds * 1000)
    if 60_000 % milliseconds and (milliseconds % 60_000 or 3_600_000 % milliseconds):
        raise expected(
            "a divisor of a minute, such as 500ms, 1s or 15s, or whole minutes that divide an hour"
        )
    return seconds


def read_job(text: str) -> str:
    if text in ("monitor", "processes"):
        raise expected("another name than monitor and processes, which series of the service's own bear")
    return text


class Collect(Section):
    """This host: how often it is looked at, and where."""

    interval: Annotated[Duration, Between("100ms", "1h"), AfterValidator(check_interval), Takes.RESTART] = 1
    """Time between two passes, and the step of live charts: a divisor of one minute, or whole minutes
    that divide an hour, so that passes fall on the same instants of every minute or hour and the points
    of all hosts line up."""
    instance: Annotated[str, Takes.RESTART] = ""
    """The value of the label `instance` of this host's series; empty takes the host's name."""
    job: Annotated[str, AfterValidator(read_job), Takes.RESTART] = "node"
    """The value of the label `job` of this host's series."""
    procfs: Annotated[Folder, Takes.RESTART] = Path("/proc")
    """Where the proc file system is mounted."""
    sysfs: Annotated[Folder, Takes.RESTART] = Path("/sys")
    """Where the sys file system is mounted."""
    rootfs: Annotated[Folder, Takes.RESTART] = Path("/")
    """Where the host's root is mounted; another than `/` in a container that sees the host's file systems
    below it."""
    budget: Budget = Budget()
    burst: Burst = Burst()
    collectors: Collectors = Collectors()
