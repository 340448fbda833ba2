"""What a busy machine takes from the sweeps, whose bounds are those of sweeps on time."""

from __future__ import annotations

from monitor.stream.liveness import Awake


class Lateness:
    """Seconds of the sweeps' clock, since this was made, by which sweeps were late.

    One that is late by more than its interval judges nobody (liveness.py), so a whole interval is lost.
    """

    def __init__(self, awake: Awake) -> None:
        self.seconds = 0.0
        sweep, swept = awake.sweep, awake()

        def noted() -> bool:
            nonlocal swept
            judged, before = sweep(), swept
            swept = awake()
            self.seconds += max(0.0, swept - before - awake.interval) if judged else awake.interval
            return judged

        awake.sweep = noted  # type: ignore[method-assign]
