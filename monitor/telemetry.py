"""What the service knows about itself: the `monitor_*` metrics.

One ordinary object is passed to the rooms, which add to its plain attributes; nothing is worked out before
somebody asks for `blocks()`.  The process's own figures come from /proc/self (Linux, proc(5)).
"""

import os
import platform
import time
import weakref
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from monitor.model import Block, Kind, Layout, Metric, Series

WORK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Bounds in seconds for what the service does within a tick."""
TRIP = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds in seconds for what crosses a network."""
LAG = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Bounds in seconds for the time from a sample to its paint."""


def counter(name: str, text: str, unit: str = "") -> Metric:
    return Metric(name, Kind.COUNTER, text, unit)


def gauge(name: str, text: str, unit: str = "") -> Metric:
    return Metric(name, Kind.GAUGE, text, unit)


def histogram(name: str, text: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, text, "seconds")


NUMBERS: Mapping[str, Metric] = {
    "ticks": counter("monitor_ticks_total", "Ticks of the live stream."),
    "ticks_missed": counter("monitor_ticks_missed_total", "Collection passes left out because one ran late."),
    "frames_sent": counter("monitor_frames_sent_total", "WebSocket frames written to clients."),
    "bytes_sent": counter("monitor_sent_bytes_total", "Bytes of frames written to clients.", "bytes"),
    "frames_skipped": counter("monitor_frames_skipped_total", "Ticks merged for clients that were behind."),
    "messages_received": counter("monitor_messages_received_total", "WebSocket messages from clients."),
    "clients": gauge("monitor_clients", "Live connections."),
    "parked": gauge("monitor_clients_parked", "Live connections that are sent no ticks at present."),
    "feeds": gauge("monitor_feeds", "Distinct feeds that are evaluated each tick."),
    "sessions_opened": counter("monitor_sessions_opened_total", "Live connections ever opened."),
    "zombies": counter(
        "monitor_zombies_total", "Sessions found without a socket by two sweeps; always 0 in a sound build."
    ),
    "orphans": counter(
        "monitor_orphans_total", "Sockets found without a session; always 0 in a sound build."
    ),
    "connections_refused": counter(
        "monitor_connections_refused_total", "Connections turned away for want of file descriptors."
    ),
    "handshakes_failed": counter(
        "monitor_tls_handshakes_failed_total", "Connections that ended before TLS was agreed on."
    ),
    "workers_ended": counter("monitor_workers_ended_total", "Workers that ended and were replaced."),
    "samples_refused": counter("monitor_samples_refused_total", "Samples that intake did not take."),
    "config_successful": gauge(
        "monitor_config_last_reload_successful", "Whether the newest configuration was taken."
    ),
    "config_taken_at": gauge(
        "monitor_config_last_reload_success_timestamp_seconds",
        "When a configuration was last taken, Unix time.",
        "seconds",
    ),
    "config_waiting": gauge(
        "monitor_config_settings_waiting", "Settings whose newest value needs a restart."
    ),
    "burst_seconds": counter(
        "monitor_burst_cpu_seconds_total", "CPU time of recording many times a second.", "seconds"
    ),
    "bursts_kept": gauge("monitor_bursts_kept", "Bursts that are kept."),
    "head_series": gauge("monitor_head_series", "Series in the head."),
    "head_bytes": gauge("monitor_head_bytes", "Memory of the head's buffers.", "bytes"),
    "history_paused": gauge("monitor_history_paused", "Whether history cannot be written at present."),
    "history_written_at": gauge(
        "monitor_history_written_timestamp_seconds",
        "Time of the newest row that survives a kill of the service, Unix time.",
        "seconds",
    ),
    "history_bytes": gauge("monitor_history_bytes", "Bytes of all files of history.", "bytes"),
    "history_damaged": counter(
        "monitor_history_damaged_total", "Parts of history that were found damaged and are left out."
    ),
    "history_unlogged": counter(
        "monitor_history_rows_unlogged_total", "Rows that a kill of the service would have lost."
    ),
}
"""Metric by attribute of Telemetry."""
NAMES = tuple(NUMBERS)

HISTOGRAMS: Mapping[str, Metric] = {
    "pass_seconds": histogram("monitor_collect_pass_seconds", "Time of one pass over all collectors."),
    "delay_seconds": histogram(
        "monitor_collect_delay_seconds", "Time from the instant at which to measure to the pass over it."
    ),
    "tick_seconds": histogram("monitor_tick_seconds", "Time to evaluate, encode and write one live tick."),
    "round_trip_seconds": histogram("monitor_ping_round_trip_seconds", "Time from a ping to its pong."),
    "lag_seconds": histogram(
        "monitor_paint_lag_seconds", "Time from a sample to its paint, told by clients."
    ),
}

TALLIES: Mapping[str, tuple[Metric, tuple[str, ...]]] = {
    "gone": (counter("monitor_sessions_gone_total", "Live connections that ended."), ("reason",)),
    "expired": (
        counter(
            "monitor_connections_expired_total", "Connections closed because they kept the server waiting."
        ),
        ("reason",),
    ),
    "refused": (counter("monitor_upgrades_refused_total", "WebSocket upgrades refused."), ("reason",)),
    "logins": (counter("monitor_logins_total", "Attempts to log in."), ("result",)),
    "http_requests": (counter("monitor_http_requests_total", "HTTP requests answered."), ("handler", "code")),
}
"""Metric and label names by attribute; the attribute's keys are the label values."""

PROCESS = (
    counter("monitor_cpu_seconds_total", "User and system CPU time of the service.", "seconds"),
    gauge("monitor_resident_memory_bytes", "Resident memory of the service.", "bytes"),
    gauge("monitor_open_fds", "Open file descriptors of the service."),
    gauge("monitor_start_time_seconds", "Start of the service, Unix time.", "seconds"),
)
WORKER = (
    gauge("monitor_worker_clients", "Live connections of a worker, which are among all of them."),
    gauge("monitor_worker_clients_parked", "Those of a worker that are sent no ticks at present."),
    counter("monitor_worker_cpu_seconds_total", "User and system CPU time of a worker.", "seconds"),
    gauge("monitor_worker_resident_memory_bytes", "Resident memory of a worker.", "bytes"),
)
"""By worker; without workers there are none."""
TLS = (
    gauge(
        "monitor_tls_certificate_expiry_timestamp_seconds",
        "When the certificate in use ends, Unix time.",
        "seconds",
    ),
    gauge(
        "monitor_tls_certificate_stale",
        "1 while the files of certificate and key cannot be used and earlier ones are.",
    ),
)
"""Without TLS there are none."""
BUILD = gauge("monitor_build_info", "Always 1; the labels tell the version.")

METRICS = (
    *NUMBERS.values(),
    *HISTOGRAMS.values(),
    *(metric for metric, _ in TALLIES.values()),
    *PROCESS,
    *WORKER,
    *TLS,
    BUILD,
)
"""Every metric declared here, for the documentation."""


class Histogram:
    """Counts of observations by upper bound.  `observe` costs one bisection and two additions."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = tuple(bounds)
        """Ascending and finite; the bucket of +Inf is implied."""
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a finite value (a NaN would stay in the sum for good)."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)

    def entries(self, metric: Metric) -> Iterator[tuple[Metric, Series]]:
        """Entries of a layout, in the order of `values`."""
        for bound in self.bounds:
            yield metric.part("_bucket", le=repr(float(bound)))
        yield metric.part("_bucket", le="+Inf")
        yield metric.part("_sum")
        yield metric.part("_count")

    def values(self) -> list[float]:
        """Cumulative counts of the buckets, then sum, then count."""
        buckets = list(accumulate(self.counts))
        return [*buckets, self.sum, buckets[-1]]


class Tally:
    """The block of one counter with labels; its layout is remade only when a label set appears."""

    __slots__ = ("counts", "labels", "layout", "metric")

    def __init__(
        self, metric: Metric, labels: tuple[str, ...], counts: Mapping[str | tuple[str, ...], int]
    ) -> None:
        self.metric, self.labels, self.counts = metric, labels, counts
        self.layout = Layout(())

    def block(self) -> Block:
        if len(self.layout) != len(self.counts):
            self.layout = Layout(self.metric.at(**self.named(key)) for key in self.counts)
        return Block(self.layout, list(self.counts.values()))

    def named(self, key: str | tuple[str, ...]) -> dict[str, str]:
        return dict(zip(self.labels, (key,) if isinstance(key, str) else key, strict=True))


class Share(NamedTuple):
    """What a worker last told of itself: a value for each of WORKER."""

    clients: int
    parked: int
    cpu: float
    memory: int


class Validity(NamedTuple):
    """Of the certificate in use: a value for each of TLS."""

    expiry: float
    stale: bool


class Process:
    """This process's own figures, read through a kept descriptor."""

    def __init__(self) -> None:
        self.statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self.close = weakref.finalize(self, os.close, self.statm)
        """Closes the descriptor; at the latest when nobody holds this any more."""
        self.page = os.sysconf("SC_PAGESIZE")
        self.started = start_time()

    def values(self) -> list[float]:
        """One value for each of PROCESS."""
        resident = int(os.pread(self.statm, 256, 0).split()[1]) * self.page
        return [time.process_time(), resident, open_descriptors(), self.started]


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    # Since Linux 6.2 the size of the folder is their number; before that it is 0, and they are counted.
    folder = "/proc/self/fd"
    # In each pass, and a Path costs five times that.
    size = os.stat(folder).st_size  # noqa: PTH116
    return size or len(os.listdir(folder)) - 1  # noqa: PTH208  (the listing is itself one)


def start_time() -> float:
    """Unix time at which this process began: field 22 of /proc/self/stat counts clock ticks from boot."""
    # The name in field 2 may hold spaces and brackets; nothing after its last bracket does.
    ticks = int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


class Telemetry:
    """The service's own counts.  Rooms add to the attributes; `blocks()` gives them as samples."""

    def __init__(self, version: str) -> None:
        self.ticks = self.ticks_missed = 0
        self.frames_sent = self.bytes_sent = self.frames_skipped = self.messages_received = 0
        self.clients = self.parked = self.feeds = self.sessions_opened = self.zombies = 0
        self.orphans = self.connections_refused = self.handshakes_failed = 0
        self.burst_seconds = 0.0
        self.bursts_kept = 0
        self.certificate: Validity | None = None
        self.samples_refused = self.head_series = self.head_bytes = 0
        self.config_successful = self.config_waiting = 0
        self.config_taken_at = 0.0
        self.pass_seconds, self.tick_seconds = Histogram(WORK), Histogram(WORK)
        self.delay_seconds = Histogram(TRIP)
        self.round_trip_seconds, self.lag_seconds = Histogram(TRIP), Histogram(LAG)
        self.gone: Counter[str] = Counter()
        """By reason."""
        self.expired: Counter[str] = Counter()
        """By reason."""
        self.refused: Counter[str] = Counter()
        """By reason."""
        self.logins: Counter[str] = Counter()
        """By result."""
        self.http_requests: Counter[tuple[str, str]] = Counter()
        """By handler and class of the status code ("2xx")."""
        self.workers: dict[str, Share] = {}
        """By name: what they serve counts here, too."""
        self.worker_names: tuple[str, ...] = ()
        self.worker_layout = Layout(())
        self.workers_ended = self.history_paused = self.history_unlogged = 0
        self.history_bytes = self.history_damaged = 0
        self.history_written_at = 0.0
        self.tls_layout = Layout(metric.at() for metric in TLS)
        self.process = Process()
        self.build = Block(Layout([BUILD.at(version=version, python=platform.python_version())]), (1,))
        self.tallies = [Tally(*declared, getattr(self, name)) for name, declared in TALLIES.items()]
        self.histograms: list[Histogram] = [getattr(self, name) for name in HISTOGRAMS]
        self.numbers = attrgetter(*NUMBERS)
        self.layout = Layout(self.entries())

    def entries(self) -> Iterator[tuple[Metric, Series]]:
        yield from (metric.at() for metric in (*NUMBERS.values(), *PROCESS))
        for metric, held in zip(HISTOGRAMS.values(), self.histograms, strict=True):
            yield from held.entries(metric)

    def blocks(self) -> tuple[Block, ...]:
        """Every metric with its present value; layouts keep their identity while no label set appears."""
        values = [*self.numbers(self), *self.process.values()]
        for held in self.histograms:
            values += held.values()
        some = self._shares(values) if self.workers else ()
        if self.certificate is not None:
            some = (*some, Block(self.tls_layout, [self.certificate.expiry, self.certificate.stale]))
        return (Block(self.layout, values), self.build, *(tally.block() for tally in self.tallies), *some)

    def _shares(self, values: list[float]) -> tuple[Block, ...]:
        """The workers by themselves; what they serve is added to the values of the whole."""
        for name in ("clients", "parked"):
            values[NAMES.index(name)] += sum(getattr(share, name) for share in self.workers.values())
        if self.worker_names != (names := tuple(self.workers)):
            self.worker_names = names
            self.worker_layout = Layout(metric.at(worker=name) for name in names for metric in WORKER)
        return (Block(self.worker_layout, list(chain(*self.workers.values()))),)

    def close(self) -> None:
        """Let go of the kept descriptor."""
        self.process.close()
