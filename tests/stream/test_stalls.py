"""A loop that stands still cuts nobody who was well: simulated time, in which the service stalls at will.

As in asyncio, what has arrived on the sockets is read before timers run.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.ledger import Ledger
from monitor.stream.liveness import Awake, Bounds, Verdict, judge
from monitor.stream.pulse import Pulse

BOUNDS = Bounds(ping_interval=1.0, ping_timeout=1.0, no_drain=1.0, close_timeout=2.0, sweep_interval=0.2)
TRIP = 0.05
"""Seconds from a ping to its pong."""
TICK = 0.2
WELL = {Verdict.ALIVE, Verdict.PING}


class Simulation:
    """One healthy viewer, Tornado's pings, the ticks and the sweep; `stall` is time in which nothing runs."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.now = 0.0
        self.bounds = bounds
        self.awake = Awake(lambda: self.now, bounds.sweep_interval)
        self.pulse = Pulse(Ledger(), 0.0)
        self.due = {"sweep": bounds.sweep_interval, "ping": bounds.ping_interval, "tick": TICK}
        self.pongs: list[float] = []
        """When they arrive."""
        self.acknowledged_at = 0.0
        self.unread: int = 0
        self.verdicts: set[Verdict] = set()
        self.judged = 0

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while min(self.due.values()) <= end:
            self.now = max(self.now, min(self.due.values()))
            self.turn()
        self.now = max(self.now, end)

    def stall(self, seconds: float) -> None:
        self.now += seconds
        self.turn()

    def turn(self) -> None:
        """One turn of the loop: what has arrived is read, then every timer that is due runs."""
        arrived, self.pongs = (
            [at for at in self.pongs if at <= self.now],
            [at for at in self.pongs if at > self.now],
        )
        for _ in arrived:
            self.pulse.ponged(b"", self.awake())
        for timer in sorted(self.due, key=self.due.__getitem__):
            if self.due[timer] <= self.now:
                getattr(self, timer)()

    def ping(self) -> None:
        self.due["ping"] = self.now + self.bounds.ping_interval
        self.send(2)
        self.pulse.pinged(b"", self.awake())
        self.pongs.append(self.now + TRIP)

    def tick(self) -> None:
        self.due["tick"] = self.now + TICK
        self.send(500)
        self.pulse.wrote(500)

    def send(self, size: int) -> None:
        """The peer's TCP acknowledges it TRIP later, whatever the service does."""
        self.unread = size + (self.unread if self.now < self.acknowledged_at else 0)
        self.acknowledged_at = self.now + TRIP

    def sweep(self) -> None:
        self.due["sweep"] = self.now + self.bounds.sweep_interval
        if not self.awake.sweep():
            return
        self.judged += 1
        now = self.awake()
        self.pulse.waiting(self.unread if self.now < self.acknowledged_at else 0, now)
        self.verdicts.add(judge(self.pulse.facts(now, closing=False), now, self.bounds))


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.39, 0.41, 0.5, 1.0, 2.0, 5.0, 10.0])
def test_one_stall_cuts_nobody(seconds: float) -> None:
    for begin in range(40):
        simulation = Simulation()
        simulation.run(1.0 + begin * 0.05)
        simulation.stall(seconds)
        simulation.run(5.0)
        assert simulation.verdicts <= WELL
        assert simulation.judged > 20, "it goes on judging"


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.floats(0.5, 10.0)), max_size=20))
def test_stalls_one_after_another_cut_nobody(stalls: list[tuple[float, float]]) -> None:
    simulation = Simulation()
    for running, stalled in stalls:
        simulation.run(running)
        simulation.stall(stalled)
    simulation.run(3.0)
    assert simulation.verdicts <= WELL


@given(st.lists(st.floats(0.5, 10.0), max_size=5))
def test_a_viewer_that_dies_is_found_all_the_same(stalls: list[float]) -> None:
    simulation = Simulation()
    simulation.run(2.0)
    simulation.pongs = []
    simulation.ping = lambda: None  # type: ignore[method-assign]
    simulation.due["ping"] = 1e9
    simulation.pulse.pinged(b"", simulation.awake())
    begun = simulation.awake()
    for stalled in stalls:
        simulation.stall(stalled)
        simulation.run(0.1)
    while Verdict.NO_PONG not in simulation.verdicts:
        simulation.run(BOUNDS.sweep_interval)
    bound = BOUNDS.ping_timeout + 2 * BOUNDS.sweep_interval
    assert simulation.awake() - begun <= bound + len(stalls) * 0.3
