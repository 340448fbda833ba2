"""Whether SELinux watches, and how: /sys/fs/selinux/enforce and /etc/selinux/config (selinux(8))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from monitor.collect.attributes import number
from monitor.collect.host import Host
from monitor.model import Block, Kind, Layout, Metric

CONFIG = "/etc/selinux/config"
MODES = {"enforcing": 1.0, "permissive": 0.0, "disabled": -1.0}
TEXT = "1 enforcing, 0 permissive, -1 disabled."
ENABLED = Metric("node_selinux_enabled", Kind.GAUGE, "Whether SELinux is on.")
CONFIGURED = Metric("node_selinux_config_mode", Kind.GAUGE, f"The mode that is configured: {TEXT}")
CURRENT = Metric("node_selinux_current_mode", Kind.GAUGE, f"The mode that holds: {TEXT}")
OFF = Layout([ENABLED.at()])
ON = Layout([ENABLED.at(), CONFIGURED.at(), CURRENT.at()])


class Selinux:
    every = 10.0

    def collect(self, host: Host) -> Iterator[Block]:
        current = number(host, "fs/selinux/enforce")
        yield Block(OFF, [0.0]) if current is None else Block(ON, [1.0, configured(host), current])


def configured(host: Host) -> float:
    """The mode of the last line that sets one; disabled where none does."""
    text = ""
    with suppress(OSError):
        text = host.read(host.root(CONFIG)).decode(errors="replace")
    set_to = re.findall(r"^\s*SELINUX\s*=\s*(\w+)", text, re.MULTILINE)
    return MODES.get(set_to[-1].lower() if set_to else "", MODES["disabled"])
