"""How much CPU collectors take, and how often each may be run so that they stay within what they are given.

One over its budget is run in every 2nd, 5th, 10th ... pass only.  Its samples are left out of the passes
between, as a counter that stands still and then leaps would be rates that never were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

STEPS = (1, 2, 5, 10, 30, 60)
"""Passes from one run to the next."""
FIRST = 3
"""Runs that say nothing of the next: files are opened and layouts made."""
WEIGHT = 0.2
"""Of the newest run, in what is typical."""
MARGIN = 1.25
"""How much room there has to be to run more often again."""


class Meter:
    """Seconds of CPU of one collector."""

    def __init__(self) -> None:
        self.total = 0.0
        self.typical = 0.0
        """Of one run."""
        self._runs = 0

    def note(self, seconds: float) -> None:
        """One run took so long."""
        self.total += seconds
        self._runs += 1
        if self._runs > FIRST:
            weight = WEIGHT if self._runs > FIRST + 1 else 1.0
            self.typical += weight * (seconds - self.typical)


class Watch:
    """A stopwatch of time and of what this thread takes of the CPU: one lap ends where the next begins, so a
    clock is read once for each."""

    def __init__(self, time: Callable[[], float], cpu: Callable[[], float]) -> None:
        self.time, self.cpu = time, cpu
        self._last = 0.0, 0.0

    def lap(self) -> tuple[float, float]:
        """Seconds, and seconds of CPU, since the lap before."""
        (began, spent), now = self._last, (self.time(), self.cpu())
        self._last = now
        return now[0] - began, now[1] - spent


class Metered(Generic[Result]):
    """A coroutine to await, whose steps on this thread are counted, and not what lies between."""

    def __init__(
        self, work: Coroutine[Any, Any, Result], cpu: Callable[[], float] = time.thread_time
    ) -> None:
        self.spent = 0.0
        """Seconds of CPU."""
        self._work, self._cpu = work, cpu

    def __await__(self) -> Generator[Any, Any, Result]:
        return self

    def __iter__(self) -> Metered[Result]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        with self._counted():
            return self._work.send(value)

    def throw(self, *raised: Any) -> Any:
        with self._counted():
            return self._work.throw(*raised)

    def close(self) -> None:
        self._work.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        began = self._cpu()
        try:
            yield
        finally:
            self.spent += self._cpu() - began


@dataclass(frozen=True)
class Budget:
    """Seconds of CPU in each second."""

    each: float = 0.01
    """Of one collector."""
    total: float = 0.05
    """Of all."""


def planned(loads: Mapping[str, float], before: Mapping[str, int], budget: Budget) -> dict[str, int]:
    """The step of each: loads are seconds of CPU in each second, if it is run as often as it likes."""
    steps = {name: step(load, before.get(name, 1), budget.each) for name, load in loads.items()}
    while sum(loads[name] / steps[name] for name in steps) > budget.total:
        able = [name for name in steps if steps[name] < STEPS[-1]]
        if not able:
            break
        dearest = max(able, key=lambda name: loads[name] / steps[name])
        steps[dearest] = STEPS[STEPS.index(steps[dearest]) + 1]
    return steps


def step(load: float, before: int, most: float) -> int:
    """The least step at which a load stays within a budget, with a margin where it was longer before."""
    if load / before > most:
        return next((each for each in STEPS if load / each <= most), STEPS[-1])
    return next((each for each in STEPS if load * MARGIN / each <= most and each < before), before)
