"""/api/v1/host: what the hosts are, out of the series that tell: system, kernel, processors, memory."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from monitor.promql import depth_of, parse, select_samples
from monitor.promql.evaluate import Samples
from monitor.server.api import Question, check_size

WINDOW = "5m"
"""How long before the moment the samples may be: what hardly changes is looked at every minute."""
NAMES = (
    *("node_os_info", "node_uname_info", "node_dmi_info", "node_systemd_virtualization_info"),
    *("node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes"),
    *("node_cpu_info", "node_disk_info", "node_network_info", "DCGM_FI_DEV_FB_TOTAL"),
)
QUERY = parse(f'{{__name__=~"{"|".join(NAMES)}"}}[{WINDOW}]')
Told = tuple[dict[str, str], float]
"""Labels and value of a series."""


class Hosts(Question):
    """Each host by the newest samples up to `time`."""

    async def data(self) -> str:
        at, bounds = self.time_of("time", round(self.clock() * 1000)), self.bounds()
        earliest = depth_of([QUERY]).earliest(at)
        return await self.answered(
            earliest, bounds.seconds, lambda storage: told(select_samples(QUERY, storage, at, bounds))
        )


def told(found: Sequence[Samples]) -> str:
    """The hosts in the order of their names, as JSON."""
    check_size(sum(len(one.values) for one in found))
    hosts: dict[str, dict[str, list[Told]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        labels = dict(one.labels)
        name, instance = labels["__name__"], labels.get("instance", "")
        hosts[instance][name].append((labels, float(one.values[-1])))
    return json.dumps({"hosts": [described(instance, hosts[instance]) for instance in sorted(hosts)]})


def described(instance: str, found: dict[str, list[Told]]) -> dict[str, Any]:
    """One host; null for what no series tells."""
    hardware = [first(found, "node_dmi_info", name) for name in ("system_vendor", "product_name")]
    return {
        "instance": instance,
        "name": first(found, "node_uname_info", "nodename"),
        "system": first(found, "node_os_info", "pretty_name"),
        "kernel": first(found, "node_uname_info", "release"),
        "machine": first(found, "node_uname_info", "machine"),
        "hardware": " ".join(filter(None, hardware)) or None,
        "virtualization": first(found, "node_systemd_virtualization_info", "virtualization_type"),
        "booted": value(found, "node_boot_time_seconds"),
        "processor": first(found, "node_cpu_info", "model_name"),
        "threads": len(found["node_cpu_info"]) or None,
        "memory": value(found, "node_memory_MemTotal_bytes"),
        "swap": value(found, "node_memory_SwapTotal_bytes"),
        "disks": named(found["node_disk_info"], "device", "model", "serial"),
        "interfaces": named(found["node_network_info"], "device", "address", "operstate"),
        "gpus": named(found["DCGM_FI_DEV_FB_TOTAL"], "gpu", "modelName"),
    }


def first(found: dict[str, list[Told]], metric: str, label: str) -> str | None:
    """A label of the first series of a metric."""
    return next((labels[label] for labels, _ in found[metric] if labels.get(label)), None)


def value(found: dict[str, list[Told]], metric: str) -> float | None:
    return next((value for _, value in found[metric]), None)


def named(series: Iterable[Told], key: str, *others: str) -> list[dict[str, str]]:
    """The chosen labels of each series, in the order of the first; one that is empty is left out."""
    chosen = [{name: labels[name] for name in (key, *others) if labels.get(name)} for labels, _ in series]
    return sorted(chosen, key=lambda each: each.get(key, ""))
