"""/api/v1/host: what the hosts are, out of the series that tell: system, kernel, processors, memory.

What no series tells (addresses, sizes of disks) is asked of this machine then, and told of the present alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from monitor.model import Columns
from monitor.promql import Archive, depth_of, evaluate, parse
from monitor.server.api import Events, Question, check_size

WINDOW = "5m"
"""How long before the moment the samples may be: what hardly changes is looked at every minute."""
NAMES = (
    *("node_os_info", "node_uname_info", "node_dmi_info", "node_systemd_virtualization_info"),
    *("node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_memory_SwapTotal_bytes"),
    *("node_cpu_info", "node_disk_info", "node_network_info", "DCGM_FI_DEV_FB_TOTAL"),
    "node_time_zone_offset_seconds",
)
QUERY = f'last_over_time({{__name__=~"{"|".join(NAMES)}"}}[{WINDOW}])'
Told = tuple[dict[str, str], float]
"""Labels and value of a series."""


Asked = Mapping[str, Any]
"""What a machine says of itself: `addresses`, `disks`, `container`, `hypervisor`, `zone`."""
Here = Callable[[], Awaitable[tuple[str, Asked]]]
"""The instance that this machine is, and what it says of itself."""


async def nowhere() -> tuple[str, Asked]:
    """Where no machine can be asked."""
    return "", {}


class Hosts(Question):
    """Each host by the newest samples up to `time`."""

    def initialize(
        self, archive: Archive, clock: Callable[[], float], events: Events, here: Here = nowhere
    ) -> None:
        super().initialize(archive, clock, events)
        self.here = here

    async def data(self) -> str:
        at, bounds = self.time_of("time", round(self.clock() * 1000)), self.bounds()
        asked = ("", {}) if self.get_argument("time", "") else await self.here()
        query = parse(QUERY)
        return await self.answered(
            depth_of([query]).ends(at, at),
            bounds.seconds,
            lambda storage: told(evaluate(query, storage, at, at, 1, bounds), at, asked),
        )


def told(found: Columns, at: int, here: tuple[str, Asked]) -> str:
    """The hosts in the order of their names at a time (ms), as JSON."""
    check_size(found.values.size)
    hosts: dict[str, dict[str, list[Told]]] = defaultdict(lambda: defaultdict(list))
    for series, value in zip(found.series, found.values[:, 0].tolist(), strict=True):
        labels = dict(series)
        name, instance = labels["__name__"], labels.get("instance", "")
        hosts[instance][name].append((labels, value))
    this, asked = here
    names = hosts.keys() | {this} if asked else hosts.keys()
    described = [host(each, hosts[each], asked if each == this else {}) for each in sorted(names)]
    return json.dumps({"time": at / 1000, "hosts": described})


def host(instance: str, found: dict[str, list[Told]], asked: Asked) -> dict[str, Any]:
    """One host; null for what nobody tells."""
    dmi = partial(texts, found["node_dmi_info"])
    return {
        "instance": instance,
        "name": first(found, "node_uname_info", "nodename"),
        "system": first(found, "node_os_info", "pretty_name"),
        "kernel": first(found, "node_uname_info", "release"),
        "machine": first(found, "node_uname_info", "machine"),
        "hardware": dmi("system_vendor", "product_name"),
        "firmware": dmi("bios_vendor", "bios_version", "bios_date"),
        "virtualization": first(found, "node_systemd_virtualization_info", "virtualization_type")
        or asked.get("hypervisor")
        or None,
        "container": asked.get("container") or None,
        "booted": value(found, "node_boot_time_seconds"),
        "time_zone": time_zone(found["node_time_zone_offset_seconds"], asked.get("zone") or None),
        "processor": first(found, "node_cpu_info", "model_name"),
        "cores": len({(each.get("package"), each.get("core")) for each, _ in found["node_cpu_info"]}) or None,
        "threads": len(found["node_cpu_info"]) or None,
        "memory": value(found, "node_memory_MemTotal_bytes"),
        "swap": value(found, "node_memory_SwapTotal_bytes"),
        "disks": disks(found["node_disk_info"], asked.get("disks", ())),
        "interfaces": named(found["node_network_info"], "device", "address", "operstate"),
        "addresses": asked.get("addresses"),
        "gpus": named(found["DCGM_FI_DEV_FB_TOTAL"], "gpu", "modelName"),
    }


def texts(series: Sequence[Told], *labels: str) -> str | None:
    """Some labels of the first series in one line."""
    known = series[0][0] if series else {}
    return " ".join(known[label] for label in labels if known.get(label)) or None


def time_zone(series: Sequence[Told], name: str | None) -> dict[str, Any] | None:
    """What the clock is set to: short name, seconds ahead of UTC, and the zone's name where it is known."""
    return next(
        ({"name": name, "short": labels.get("time_zone", ""), "offset": ahead} for labels, ahead in series),
        None,
    )


def disks(series: Iterable[Told], asked: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each disk by what udev knows of it, and what the machine says: then it says which there are."""
    known = {each["device"]: each for each in named(series, "device", "model", "serial")}
    if not asked:
        return list(known.values())
    said = [{name: value for name, value in each.items() if value} for each in asked]
    return [each | known.get(each["device"], {}) for each in said]


def first(found: dict[str, list[Told]], metric: str, label: str) -> str | None:
    """A label of the first series of a metric."""
    return next((labels[label] for labels, _ in found[metric] if labels.get(label)), None)


def value(found: dict[str, list[Told]], metric: str) -> float | None:
    return next((value for _, value in found[metric]), None)


def named(series: Iterable[Told], key: str, *others: str) -> list[dict[str, str]]:
    """The chosen labels of each series, in the order of the first; one that is empty is left out."""
    chosen = [{name: labels[name] for name in (key, *others) if labels.get(name)} for labels, _ in series]
    return sorted(chosen, key=lambda each: each.get(key, ""))
