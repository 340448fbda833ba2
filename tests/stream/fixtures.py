"""A house of ten seconds, and its audience under a clock set by hand: fixtures of `stream` and `server`."""

import pytest

from monitor.stream.audience import Audience
from monitor.stream.cohort import Carrier
from monitor.stream.liveness import Awake
from tests.clock import Clock
from tests.stream.house import House


@pytest.fixture
def house() -> House:
    house = House()
    house.tick(10)
    return house


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def carrier() -> Carrier | None:
    """What writes to many connections at once: the house's own, unless a room has another."""
    return None


@pytest.fixture
def audience(house: House, clock: Clock, carrier: Carrier | None) -> Audience:
    return house.audience(Awake(clock, interval=1.0), carrier=carrier)
