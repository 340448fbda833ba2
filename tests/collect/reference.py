"""docs/metrics.md, written from what the collectors give on the recorded machines."""

from __future__ import annotations

from collections import defaultdict

from monitor.collect import COLLECTORS
from monitor.config import Settings
from monitor.config.fields import documentation
from monitor.model import Metric
from tests.collect.differences import ABSENT, LABELS, LEFT_OUT, MORE, TYPES, Difference
from tests.collect.samples import FIXTURES, collected, collector, host

HEAD = """\
# Metrics of this host

What each collector gives, with node_exporter's names, types and labels; where its versions differ, with those
of 1.9. A collector is switched on or off in config.yaml, below `collect.collectors`
([configuration](configuration.md)). What a kernel or a machine does not have is not there; a collector that
has nothing on a host is `node_scrape_collector_success` 0. Where the kernel alone decides which fields there
are (meminfo, vmstat, netstat), the table holds those of recorded machines.

This page is written from the declarations beside the collectors, over the recorded machines of the tests.

## What differs from node_exporter

A test runs Debian's node_exporter 1.5 beside the collectors on the same machine and compares them series by
series: names, labels, types, and values within the time between the reads. What it lets pass is this.
"""

OURS = ("node_", "monitor_", "namedprocess_", "container_", "DCGM_", "probe_", "kernel_", "journal_")
"""What text files give has any name."""
Labels = dict[Metric, set[str]]


def machines() -> list[str]:
    return sorted(path.name for path in FIXTURES.iterdir())


def given(name: str) -> Labels:
    """The metrics of a collector with the names of their labels, over all recorded machines."""
    found: Labels = defaultdict(set)
    for machine in machines():
        files = host(machine)
        try:
            blocks = collected(collector(name), files)
        except FileNotFoundError:
            continue
        finally:
            files.close()
        for block in blocks:
            for metric, series in zip(block.layout.metrics, block.layout.series, strict=True):
                if metric.name.startswith(OURS):
                    found[metric] |= {label for label, _ in series.labels}
    return found


def page() -> str:
    return HEAD + differences() + "".join(section(name) for name in sorted(COLLECTORS))


def differences() -> str:
    labels = [Difference(name, f"label `{label}`: {why}") for name, (label, why) in LABELS.items()]
    types = [Difference(name, why) for name, why in TYPES.items()]
    parts = {
        "Not here": (*LEFT_OUT, *ABSENT),
        "Here, and not in 1.5": MORE,
        "With a label that 1.5 does not have": labels,
        "Of another type": types,
    }
    return "".join(
        f"\n{title}:\n" + "".join(f"- `{names}`: {reason}.\n" for names, reason in told)
        for title, told in parts.items()
        if told
    )


def section(name: str) -> str:
    """One collector: what it is about, whether it is on, and its metrics."""
    switches = Settings().collect.collectors
    switch = getattr(switches, name)
    text = documentation(type(switches)).get(name) or type(switch).__doc__ or ""
    on = "On by default." if switch.enabled else "Off by default."
    rows = "".join(sorted(row(metric, labels) for metric, labels in given(name).items()))
    return (
        f"\n## {name}\n{' '.join(text.split())} {on}\n\n"
        f"| Metric | Type | Unit | Labels | Meaning |\n| --- | --- | --- | --- | --- |\n{rows}"
    )


def row(metric: Metric, labels: set[str]) -> str:
    named = ", ".join(f"`{label}`" for label in sorted(labels))
    text = metric.help.replace("|", "\\|")
    return f"| `{metric.name}` | {metric.kind} | {metric.unit} | {named} | {text} |\n"
