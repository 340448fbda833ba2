"""Settings of how much CPU collecting may take."""

from typing import Annotated

from .section import Section, Takes
from .units import Between, Duration


class Budget(Section):
    """How much CPU time collecting may take in each second. A collector over it is run less often and left
    out of the passes between; `monitor_collector_slowdown` and the log name it."""

    collector: Annotated[Duration, Between("1ms", "1s"), Takes.RESTART] = 0.01
    """Of one collector; 10ms is one percent of a core."""
    total: Annotated[Duration, Between("2ms", "10s"), Takes.RESTART] = 0.05
    """Of all collectors; the dearest are slowed first."""
