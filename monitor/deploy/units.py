"""monitor.service, monitor.socket and their group, as a version of systemd understands them.

The texts are in this folder.  A line `253+ KEY=value` is for systemd 253 and newer, `253- KEY=value` for what
is older: unknown keys and values only warn in systemd, and mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SERVICE, SOCKET, SYSUSERS = "monitor.service", "monitor.socket", "monitor.sysusers"
PLACES = {
    SYSUSERS: Path("/etc/sysusers.d/monitor.conf"),
    SERVICE: Path("/etc/systemd/system/monitor.service"),
    SOCKET: Path("/etc/systemd/system/monitor.socket"),
}
"""Where each belongs."""
GROUP = "monitor-config"
"""May read the configuration: the service's own account lasts no longer than it runs."""
OLDEST = 247
"""The first systemd that knows every key in the units (ProtectProc=)."""
ONLY = re.compile(r"(\d+)([+-]) (.*)")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the units say of one machine."""

    systemd: int
    """Version."""
    program: str
    """Absolute path of the command `monitor`."""
    config: str
    """Absolute path of config.yaml."""
    listen: Sequence[str]
    """Addresses with port."""
    viewers: str
    """The most memory that the viewers take, in words."""
    memory: int
    """MiB that the service may take."""
    files: int
    """Descriptors that each of its processes may have."""


def units(deployment: Deployment) -> dict[str, str]:
    """Text by file name."""
    return {name: unit(name, deployment) for name in PLACES}


def unit(name: str, deployment: Deployment) -> str:
    template = (FOLDER / f"{name}.in").read_text(encoding="utf-8")
    text = "".join(f"{line}\n" for line in understood(template.splitlines(), deployment.systemd))
    return text.format(
        version=deployment.systemd,
        program=escaped(deployment.program),
        config=escaped(deployment.config),
        listen="\n".join(f"ListenStream={address}" for address in deployment.listen),
        viewers=deployment.viewers,
        memory=f"{deployment.memory}M",
        files=deployment.files,
        group=GROUP,
    )


def understood(lines: Sequence[str], systemd: int) -> Iterator[str]:
    """The lines for one version of systemd."""
    for line in lines:
        only = ONLY.fullmatch(line)
        if only is None:
            yield line
        elif (systemd >= int(only[1])) == (only[2] == "+"):
            yield only[3]


def escaped(path: str) -> str:
    """A path as one word of ExecStart= (systemd.service(5), "Command lines")."""
    text = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if re.search(r"\s|['\"\\;]", path) else text
