"""What is told of a control group, with cAdvisor's names, types and units."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model import Kind, Metric

Key = tuple[Metric, str]
"""A metric, and the value of the label that it has besides: a device, a kind of failure."""


def counter(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"container_{name}", Kind.COUNTER, text, unit)


def gauge(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"container_{name}", Kind.GAUGE, text, unit)


SEEN = gauge("last_seen", "When a container or unit was measured last, in Unix time.", "seconds")

CPU = counter("cpu_usage_seconds_total", "CPU time used.", "seconds")
USER = counter("cpu_user_seconds_total", "CPU time used in user mode.", "seconds")
SYSTEM = counter("cpu_system_seconds_total", "CPU time used in the kernel.", "seconds")
PERIODS = counter("cpu_cfs_periods_total", "Periods of enforcement that have passed, where CPU is limited.")
THROTTLED = counter("cpu_cfs_throttled_periods_total", "Periods in which it was held back.")
HELD_BACK = counter("cpu_cfs_throttled_seconds_total", "Time for which it was held back.", "seconds")
QUOTA = gauge("spec_cpu_quota", "Microseconds of CPU time that it may use in a period.", "microseconds")
PERIOD = gauge("spec_cpu_period", "Microseconds of a period.", "microseconds")

MEMORY = gauge("memory_usage_bytes", "Memory, with what the kernel keeps of files for it.", "bytes")
WORKING = gauge("memory_working_set_bytes", "Memory without what the kernel would give back first.", "bytes")
RSS = gauge("memory_rss", "Memory of its own: anonymous pages and swap that is in memory.", "bytes")
CACHE = gauge("memory_cache", "What the kernel keeps of files for it.", "bytes")
MAPPED = gauge("memory_mapped_file", "Files that are mapped into memory.", "bytes")
SWAP = gauge("memory_swap", "Memory that is swapped out.", "bytes")
FAILURES = counter("memory_failures_total", "Page faults; the major ones had to read from storage.")
LIMIT = gauge("spec_memory_limit_bytes", "Memory that it may have; 0 where there is no limit.", "bytes")
KILLED = counter("oom_events_total", "Processes killed because memory was short.")

READ = counter("fs_reads_bytes_total", "Bytes read from a device.", "bytes")
WRITTEN = counter("fs_writes_bytes_total", "Bytes written to a device.", "bytes")
READS = counter("fs_reads_total", "Reads from a device.")
WRITES = counter("fs_writes_total", "Writes to a device.")

FIELDS = {
    "bytes": "Bytes {}",
    "packets": "Packets {}",
    "errors": "Packets not {}, as something was wrong with them",
    "packets_dropped": "Packets dropped before they were {}",
}
WAYS = (("receive", "received", 0), ("transmit", "sent", 8))
TRAFFIC = {
    counter(
        f"network_{way}_{field}_total",
        f"{text.format(done)}, by interface.",
        "bytes" if field == "bytes" else "",
    ): start + place
    for way, done, start in WAYS
    for place, (field, text) in enumerate(FIELDS.items())
}
"""Counters of an interface, and their columns in /proc/net/dev."""

PROCESSES = gauge("processes", "Processes.")
THREADS = gauge("threads", "Threads.")
THREADS_MAX = gauge("threads_max", "Threads that there may be; 0 where there is no limit.")

STATES = {"waiting": "some task waited", "stalled": "no task could go on"}
PRESSURE = {
    (resource, state): counter(
        f"pressure_{resource}_{state}_seconds_total", f"Time in which {text} for {resource}.", "seconds"
    )
    for resource in ("cpu", "memory", "io")
    for state, text in STATES.items()
}

LABELS = {
    CPU: "cpu",
    FAILURES: "failure_type",
    **dict.fromkeys((READ, WRITTEN, READS, WRITES), "device"),
    **dict.fromkeys(TRAFFIC, "interface"),
}
"""The label that a metric has besides."""
ALWAYS = {FAILURES: {"scope": "hierarchy"}}
"""Labels with one value."""
UNLIMITED = 1 << 62
"""What is at least as much is no limit (version 1 has the largest whole number of pages)."""


def limit(text: str) -> float:
    """A limit in its file: `max` or a number; 0 for none."""
    value = 0.0 if text.strip() == "max" else float(text)
    return value if value < UNLIMITED else 0.0


def fields(text: str) -> dict[str, float]:
    """The numbers of a file of lines `name number`, by name."""
    words = text.split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


def picked(stat: Mapping[str, float], wanted: Mapping[str, Key], per: float = 1) -> dict[Key, float]:
    """Those fields that there are, as kernels differ; `per` of the file's unit make one of ours."""
    return {key: stat[name] / per for name, key in wanted.items() if name in stat}


def pressure(resource: str, text: str) -> dict[Key, float]:
    """The totals of a file of pressure stall information, in seconds."""
    found: dict[Key, float] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        state = {"some": "waiting", "full": "stalled"}[kind]
        found[PRESSURE[resource, state], ""] = float(rest.rpartition("total=")[2]) / 1e6
    return found
