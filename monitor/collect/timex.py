"""How well the clock is kept: what adjtimex(2) tells when it is asked to change nothing."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter, truediv
from typing import NamedTuple

from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

UNSYNCHRONISED = 5
"""TIME_ERROR: the clock follows no reliable server."""
STA_NANO = 0x2000
NANO, MICRO = 1e9, 1e6
PPM = 1e6 * 65536
"""Frequencies are in parts per million with a binary fraction of 16 bits."""
LONG, INT = ctypes.c_long, ctypes.c_int


class Field(NamedTuple):
    name: str
    metric: Metric
    per: float = 1.0
    """How many units of the kernel make one of the metric's; 0 where its status tells."""


def gauge(field: str, text: str, unit: str = "") -> Metric:
    return Metric(f"node_timex_{field}", Kind.GAUGE, text, unit)


def counter(field: str, text: str) -> Metric:
    return Metric(f"node_timex_{field}_total", Kind.COUNTER, text)


FREQUENCY = gauge("frequency_adjustment_ratio", "By what the clock's frequency is multiplied.")
FIELDS = (
    Field("offset", gauge("offset_seconds", "How far the clock is from its reference.", "seconds"), 0),
    Field("maxerror", gauge("maxerror_seconds", "Greatest error.", "seconds"), MICRO),
    Field("esterror", gauge("estimated_error_seconds", "Estimated error.", "seconds"), MICRO),
    Field("status", gauge("status", "The bits of the clock's status.")),
    Field("constant", gauge("loop_time_constant", "Time constant of the phase-locked loop.")),
    Field("tick", gauge("tick_seconds", "Time between two ticks.", "seconds"), MICRO),
    Field("ppsfreq", gauge("pps_frequency_hertz", "Frequency of the pulse per second.", "hertz"), PPM),
    Field("jitter", gauge("pps_jitter_seconds", "Jitter of the pulse per second.", "seconds"), 0),
    Field("shift", gauge("pps_shift_seconds", "Interval of the pulse per second.", "seconds")),
    Field("stabil", gauge("pps_stability_hertz", "Changes of frequency of late.", "hertz"), PPM),
    Field("jitcnt", counter("pps_jitter", "Pulses with too much jitter.")),
    Field("calcnt", counter("pps_calibration", "Intervals of calibration.")),
    Field("errcnt", counter("pps_error", "Intervals whose calibration failed.")),
    Field("stbcnt", counter("pps_stability_exceeded", "Intervals that were not stable.")),
    Field("tai", gauge("tai_offset_seconds", "How far International Atomic Time is ahead.", "seconds")),
)
SYNCHRONISED = gauge("sync_status", "Whether the clock follows a reliable server.")
FIELDS_OF = attrgetter(*(field.name for field in FIELDS))
PERS = {fine: [field.per or fine for field in FIELDS] for fine in (NANO, MICRO)}
"""How many units make one, where times are fine and where they are not."""
CLOCK = Layout([SYNCHRONISED.at(), FREQUENCY.at(), *(field.metric.at() for field in FIELDS)])


class Answer(ctypes.Structure):
    """struct timex of <sys/timex.h>, with the room that the kernel keeps at its end."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", LONG),
        ("freq", LONG),
        ("maxerror", LONG),
        ("esterror", LONG),
        ("status", INT),
        ("constant", LONG),
        ("precision", LONG),
        ("tolerance", LONG),
        ("seconds", LONG),
        ("fraction", LONG),
        ("tick", LONG),
        ("ppsfreq", LONG),
        ("jitter", LONG),
        ("shift", INT),
        ("stabil", LONG),
        ("jitcnt", LONG),
        ("calcnt", LONG),
        ("errcnt", LONG),
        ("stbcnt", LONG),
        ("tai", INT),
        ("kept", INT * 11),
    )


class Timex:
    def __init__(self, ask: Callable[[Answer], int] | None = None) -> None:
        self._ask = ask or asked
        self._answer = Answer()

    def collect(self, _host: Host) -> Iterator[Block]:
        answer = self._answer
        answer.modes = 0  # To change nothing; the kernel writes all but this.
        state = self._ask(answer)
        fine = NANO if answer.status & STA_NANO else MICRO
        values = map(truediv, FIELDS_OF(answer), PERS[fine])
        yield Block(CLOCK, [float(state != UNSYNCHRONISED), 1 + answer.freq / PPM, *values])


@cache
def library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def asked(answer: Answer) -> int:
    """Fill in the answer; the clock's state.  Raises OSError where the kernel does not answer."""
    state: int = library().adjtimex(ctypes.byref(answer))
    if state < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "adjtimex")
    return state
