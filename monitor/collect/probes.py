"""Whether targets of the network answer, how fast, and until when their certificates are good, with the names
of blackbox_exporter.

They are asked by a process of its own (monitor.collect.prober), all at once; nothing is asked that the
configuration does not name.  An answer of HTTP is good with a status from 200 to 399.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.collect.host import Host
from monitor.collect.table import Entry, layout
from monitor.collect.workers import Pool, Turns
from monitor.model import Block, Kind, Metric

log = logging.getLogger(__name__)

EVERY, TIMEOUT = 15.0, 5.0
MARGIN = 2.0
"""Seconds that asking all may take beyond the time-out of one."""
PROGRAM = Path(__file__).with_name("prober.py")


def gauge(name: str, text: str, unit: str = "") -> Metric:
    return Metric(f"probe_{name}", Kind.GAUGE, text, unit)


SUCCESS = gauge("success", "Whether a target answered as it should.")
DURATION = gauge("duration_seconds", "How long asking a target took.", "seconds")
LOOKUP = gauge("dns_lookup_time_seconds", "How long looking up the target's name took.", "seconds")
PROTOCOL = gauge("ip_protocol", "Version of IP: 4 or 6.")
PING = gauge("icmp_duration_seconds", "How long each part of an echo took.", "seconds")
HTTP = gauge("http_duration_seconds", "How long each part of a request took.", "seconds")
NUMBERS = {
    "status": gauge("http_status_code", "Status of the answer."),
    "version": gauge("http_version", "Version of HTTP of the answer."),
    "length": gauge("http_content_length", "Bytes of the answer's content, at most a million.", "bytes"),
    "expiry": gauge(
        "ssl_earliest_cert_expiry", "Until when the certificate is good, in Unix time.", "seconds"
    ),
    "ip": PROTOCOL,
}
PARTS = {"icmp": PING, "http": HTTP, "https": HTTP}


class Probes:
    """All targets every `every` seconds, each given up after `timeout`."""

    def __init__(
        self,
        every: float = EVERY,
        timeout: float = TIMEOUT,
        targets: Sequence[str] = (),
        pool: Pool | None = None,
    ) -> None:
        self.every = every
        self.limit = timeout + MARGIN
        self._targets = tuple(targets)
        self._question = json.dumps({"targets": self._targets, "limit": timeout}).encode()
        self._prober = Turns(pool or Pool(PROGRAM, most=2))
        self._failing: dict[str, str] = {}

    async def refresh(self, host: Host) -> list[Block]:  # noqa: ARG002  (targets are not of the host)
        """Ask all.  Raises FileNotFoundError where none is configured."""
        if not self._targets:
            raise FileNotFoundError(errno.ENOENT, "no targets", "collect.collectors.probes.targets")
        told: dict[str, Any] = json.loads(await self._prober.ask(self._question))
        self._note({target: each["error"] for target, each in told.items() if not each["success"]})
        found = dict(entry for target, each in told.items() for entry in samples(target, each))
        return [Block(layout(tuple(found)), list(found.values()))]

    async def close(self) -> None:
        """End the process that asks."""
        self._prober.close()

    def _note(self, failing: dict[str, str]) -> None:
        """Log a target that begins to fail, and one that is well again."""
        for target in failing.keys() - self._failing.keys():
            log.info("probe %s: fails: %s", target, failing[target])
        for target in self._failing.keys() - failing.keys():
            log.info("probe %s: works again", target)
        self._failing = failing


def samples(target: str, told: Mapping[str, Any]) -> Iterator[tuple[Entry, float]]:
    """What is told of a target."""
    scheme = target.partition(":")[0]
    yield SUCCESS.at(target=target), float(told["success"])
    yield DURATION.at(target=target), told["seconds"]
    phases = told.get("phases", {})
    if "resolve" in phases:
        yield LOOKUP.at(target=target), phases["resolve"]
    for name, metric in NUMBERS.items():
        if name in told:
            yield metric.at(target=target), float(told[name])
    if scheme in PARTS:
        for phase, seconds in phases.items():
            yield PARTS[scheme].at(target=target, phase=phase), seconds
