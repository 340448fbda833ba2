"""The sign of life that goes where nothing else does, so that no silence lasts; it tells the time."""

from __future__ import annotations

from typing import NamedTuple

from monitor.stream.frames import Frame

CLOCK = 60
"""In so many steps everybody gets one, ticks or not: clocks drift."""
PARKED = 10
"""Those who are parked get one in so many steps: what nobody reads must not fill their pipe."""


class Beat(NamedTuple):
    frame: Frame
    step: int
    """The number of the tick that it belongs to."""

    def after(self, frames: list[Frame], parked: bool = False) -> list[Frame]:
        """What goes out with these frames: the beat, too, if it is its turn."""
        turn = CLOCK if frames else PARKED if parked else 1
        return frames if self.step % turn else [*frames, self.frame]
