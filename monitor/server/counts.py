"""What a worker counts, told in differences: so the sums of the service go on when a worker is replaced."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from time import process_time

from monitor.formats import relay
from monitor.telemetry import Histogram, Share, Telemetry

NUMBERS = (
    "frames_sent",
    "bytes_sent",
    "frames_skipped",
    "messages_received",
    "sessions_opened",
    "zombies",
    "orphans",
)
HISTOGRAMS = ("round_trip_seconds", "lag_seconds")


class Counts:
    """At the worker's end."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self._numbers = dict.fromkeys(NUMBERS, 0)
        self._gone: Counter[str] = Counter()
        self._histograms = {name: [0.0] * len(_state(telemetry, name)) for name in HISTOGRAMS}

    def since(self) -> relay.Counted:
        """What has been counted since the last call."""
        telemetry = self.telemetry
        numbers = {name: getattr(telemetry, name) for name in NUMBERS}
        gone = Counter(telemetry.gone)
        histograms = {name: _state(telemetry, name) for name in HISTOGRAMS}
        told = relay.Counted(
            numbers={name: value - self._numbers[name] for name, value in numbers.items()},
            gone=gone - self._gone,
            histograms={
                name: [now - then for now, then in zip(state, self._histograms[name], strict=True)]
                for name, state in histograms.items()
            },
            clients=telemetry.clients,
            parked=telemetry.parked,
            cpu=process_time(),
            memory=_resident(),
        )
        self._numbers, self._gone, self._histograms = numbers, gone, histograms
        return told


def add(telemetry: Telemetry, counted: relay.Counted, worker: str) -> None:
    """At the other end: to the sums of the service."""
    for name, value in counted.numbers.items():
        setattr(telemetry, name, getattr(telemetry, name) + value)
    telemetry.gone.update(counted.gone)
    for name, state in counted.histograms.items():
        held: Histogram = getattr(telemetry, name)
        held.sum += state[0]
        held.counts = [count + int(more) for count, more in zip(held.counts, state[1:], strict=True)]
    telemetry.workers[worker] = Share(counted.clients, counted.parked, counted.cpu, counted.memory)


def _state(telemetry: Telemetry, name: str) -> list[float]:
    held: Histogram = getattr(telemetry, name)
    return [held.sum, *held.counts]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
