"""A network namespace for the processes of a test, joined to this one by two virtual Ethernet devices.

Addresses are those of RFC 2544 (benchmarking, 198.18.0.0/15), which no real network uses.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    name: str
    here: str
    """Address of this side."""
    there: tuple[str, ...]
    """Addresses of the other side."""

    def inside(self, *command: str) -> tuple[str, ...]:
        """The command line that runs a command in the namespace."""
        return ("ip", "netns", "exec", self.name, *command)


@contextmanager
def network(name: str, devices: str, here: str, *there: str) -> Iterator[Network]:
    """A namespace with one end of the cable; the other end is here.  All of them are in one /24."""
    for tool in ("ip", "iptables"):
        assert shutil.which(tool), f"{tool} is missing: apt-get install iproute2 iptables"
    near, far = f"{devices}0", f"{devices}1"
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        run("ip", "address", "add", f"{here}/24", "dev", near)
        run("ip", "link", "set", near, "up")
        for address in there:
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", far)
        run("ip", "-n", name, "link", "set", far, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield Network(name, here, there)
    finally:
        run("ip", "netns", "delete", name)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
