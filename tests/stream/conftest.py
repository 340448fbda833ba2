"""A house of ten seconds, and its audience under a clock set by hand."""

from tests.stream.fixtures import audience, carrier, clock, house

__all__ = ["audience", "carrier", "clock", "house"]
