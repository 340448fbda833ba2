"""The distribution: /etc/os-release, or /usr/lib/os-release where that is not there (os-release(5))."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from monitor.collect.host import Host
from monitor.collect.table import layout
from monitor.model import Block, Kind, Metric

PLACES = ("/etc/os-release", "/usr/lib/os-release")
INFO = Metric("node_os_info", Kind.GAUGE, "Always 1; the labels tell which distribution it is.")
PARTS = (
    "build_id",
    "id",
    "id_like",
    "image_id",
    "image_version",
    "name",
    "pretty_name",
    "variant",
    "variant_id",
    "version",
    "version_codename",
    "version_id",
)
VERSION = Metric("node_os_version", Kind.GAUGE, "Version of the distribution: major and minor number.")
SUPPORT_END = Metric(
    "node_os_support_end_timestamp_seconds", Kind.GAUGE, "When its support ends, in Unix time.", "seconds"
)


class Os:
    every = 60.0

    def collect(self, host: Host) -> Iterator[Block]:
        known = dict(settings(release(host)))
        labels = {part: known[part] for part in PARTS if known.get(part)}
        found = {INFO.at(**labels): 1.0}
        if number := re.match(r"\d+(\.\d+)?", known.get("version_id", "")):
            few = {part: labels[part] for part in ("id", "id_like", "name") if part in labels}
            found[VERSION.at(**few)] = float(number[0])
        with suppress(ValueError):  # Not there, or no date.
            end = datetime.strptime(known.get("support_end", ""), "%Y-%m-%d").replace(tzinfo=UTC)
            found[SUPPORT_END.at()] = end.timestamp()
        yield Block(layout(tuple(found)), list(found.values()))


def release(host: Host) -> str:
    """The text of the first of the files that is there."""
    for place in PLACES[:-1]:
        with suppress(OSError):
            return host.read(host.root(place)).decode(errors="replace")
    return host.read(host.root(PLACES[-1])).decode(errors="replace")


def settings(text: str) -> Iterator[tuple[str, str]]:
    """The settings of the file, as a shell reads them, names in small letters."""
    for line in text.splitlines():
        name, is_set, value = line.strip().partition("=")
        if is_set and not name.startswith("#"):
            with suppress(ValueError):  # A quote that is not closed.
                yield name.lower(), "".join(shlex.split(value))
