"""The sweep's verdicts by the clock, and its guarantee for every way in which a peer falls silent."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.ledger import Ledger
from monitor.stream.liveness import Awake, Bounds, Facts, Verdict, judge
from monitor.stream.pulse import Pulse
from tests.clock import Clock

BOUNDS = Bounds(ping_interval=10, ping_timeout=8, no_drain=9, close_timeout=2, sweep_interval=1)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (Facts(pinged_at=95), Verdict.ALIVE),
        (Facts(pinged_at=89), Verdict.PING),
        (Facts(pinged_at=89.5), Verdict.ALIVE),
        (Facts(pinged_at=80, unanswered=True), Verdict.ALIVE),
        (Facts(closed_since=99), Verdict.ZOMBIE),
        (Facts(closed_since=100), Verdict.ALIVE),
        (Facts(pinged_at=91, unanswered_since=92), Verdict.NO_PONG),
        (Facts(pinged_at=91, unanswered_since=92.1), Verdict.ALIVE),
        (Facts(pinged_at=95, stuck_since=91), Verdict.NO_PROGRESS),
        (Facts(pinged_at=95, stuck_since=91.1), Verdict.ALIVE),
        (Facts(pinged_at=95, closing_since=98), Verdict.CLOSING),
        (Facts(pinged_at=80, closing_since=98.1), Verdict.ALIVE),
        (Facts(pinged_at=80, unanswered=True, unanswered_since=80, closing_since=99), Verdict.NO_PONG),
    ],
)
def test_verdict_at_time_100(facts: Facts, verdict: Verdict) -> None:
    assert judge(facts, 100, BOUNDS) is verdict


@dataclass
class Peer:
    """A peer in simulated time: until `dies` it takes everything and answers pings."""

    dies: float
    takes_bytes: bool
    """Whether its TCP goes on acknowledging (a stopped process) or not (a cut link)."""


def life(peer: Peer, bounds: Bounds, tick: float, phase: float) -> float:
    """Seconds from the peer's death to the verdict that removes it; Tornado pings each interval."""
    pulse, waiting, now, pings = Pulse(Ledger(), 0.0), 0, 0.0, 0
    next_sweep, next_tick = phase * bounds.sweep_interval, tick
    while True:
        now = min(next_sweep, next_tick, (pings + 1) * bounds.ping_interval)
        alive = now < peer.dies
        if now == (pings + 1) * bounds.ping_interval:
            pings += 1
            waiting += 0 if alive or peer.takes_bytes else 2
            pulse.pinged(b"", now)
            if alive:
                pulse.ponged(b"", now)
        elif now == next_tick:
            next_tick += tick
            pulse.wrote(500)
            waiting += 0 if alive or peer.takes_bytes else 500
        else:
            next_sweep += bounds.sweep_interval
            pulse.waiting(waiting, now)
            if judge(pulse.facts(now, closing=False), now, bounds) not in (Verdict.ALIVE, Verdict.PING):
                return now - peer.dies


@given(
    dies=st.floats(1, 60),
    takes_bytes=st.booleans(),
    tick=st.sampled_from([0.9, 5.1, 1e9]),
    phase=st.floats(0.01, 0.99),
    interval=st.floats(2, 12),
    timeout=st.floats(1, 12),
    drain=st.floats(1, 12),
)
def test_a_dead_peer_is_gone_within_the_bound(
    dies: float, takes_bytes: bool, tick: float, phase: float, interval: float, timeout: float, drain: float
) -> None:
    bounds = Bounds(interval, min(timeout, interval), drain, 2.0, 0.5)
    bound = interval + max(bounds.ping_timeout, drain) + 2 * bounds.sweep_interval
    assert 0 < life(Peer(dies, takes_bytes), bounds, tick, phase) <= bound + 1e-9


def test_a_slow_peer_that_makes_progress_is_not_cut_for_a_late_pong() -> None:
    pulse = Pulse(Ledger(), 0.0)
    pulse.wrote(100_000)
    pulse.pinged(b"", 0.0)
    for second in range(1, 60):
        pulse.waiting(100_000 - 1_000 * second, float(second))
        assert judge(pulse.facts(second, closing=False), second, BOUNDS) is Verdict.ALIVE


def test_the_time_out_starts_when_the_ping_is_delivered() -> None:
    pulse = Pulse(Ledger(), 0.0)
    pulse.wrote(500)
    pulse.pinged(b"", 0.0)
    pulse.waiting(502, 1.0)
    assert pulse.facts(1.0, closing=False).unanswered_since is None
    pulse.waiting(0, 7.0)
    assert pulse.facts(7.0, closing=False).unanswered_since == 7.0


def test_a_pong_answers_its_ping_and_those_before_it() -> None:
    pulse = Pulse(Ledger(), 0.0)
    pulse.pinged(b"1", 1.0)
    pulse.pinged(b"2", 2.0)
    assert pulse.ponged(b"other", 2.5) is None
    assert pulse.ponged(b"2", 2.5) == 0.5
    pulse.waiting(0, 3.0)
    assert pulse.facts(3.0, closing=False).unanswered_since is None
    assert pulse.round_trip == 0.5


def test_a_ping_repeated_before_its_pong_keeps_its_time() -> None:
    pulse = Pulse(Ledger(), 0.0)
    pulse.pinged(b"", 1.0)
    pulse.waiting(0, 1.5)
    pulse.pinged(b"", 11.0)
    assert pulse.facts(12.0, closing=False).unanswered_since == 1.5


def test_closing_counts_from_when_it_was_first_seen() -> None:
    pulse = Pulse(Ledger(), 0.0)
    assert pulse.facts(5.0, closing=True).closing_since == 5.0
    assert pulse.facts(6.0, closing=True).closing_since == 5.0


def test_time_in_which_nobody_was_heard_does_not_count() -> None:
    clock = Clock()
    awake = Awake(clock, interval=1.0)
    assert awake.sweep()
    clock.now = 1.5
    assert awake.sweep()
    clock.now = 32.5
    assert not awake.sweep()
    assert awake() == 2.5
    clock.now = 33.5
    assert awake.sweep()
    assert awake() == 3.5


def test_what_happens_between_a_stall_and_its_sweep_does_not_lie_in_the_future() -> None:
    clock = Clock()
    awake = Awake(clock, interval=1.0)
    assert awake.sweep()
    clock.now = 31.0
    came = awake()
    clock.now = 31.5
    assert not awake.sweep()
    assert came <= awake() == 1.0


def test_a_slow_peer_is_spared_whose_every_pong_asks_for_more() -> None:
    """It reads 100 bytes a second and has 120 bytes a second of pongs written to it."""
    bounds = Bounds()
    pulse = Pulse(Ledger(), 0.0)
    pulse.wrote(50_000)
    read = 0
    for second in range(60):
        now = float(second)
        pulse.wrote(120)
        read += 100
        pulse.waiting(50_000 + 120 * (second + 1) - read, now)
        assert judge(pulse.facts(now, closing=False), now, bounds) in (Verdict.ALIVE, Verdict.PING)
