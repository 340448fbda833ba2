"""What of a host matters to its first configuration (sysfs(5), proc_pid_mounts(5))."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .options import Filesystem
from .present import present

CONTAINERS = ("veth", "docker", "br-", "cali", "cni", "flannel", "cilium", "lxc", "virbr", "vnet", "podman")
"""How the names begin of interfaces that come and go with containers and virtual machines."""
REMOTE = re.compile(r"nfs4?|cifs|smb3|9p|ceph|fuse\.(sshfs|glusterfs|s3fs)|glusterfs|afs")


class Surroundings(NamedTuple):
    name: str
    cores: int
    interfaces: tuple[str, ...]
    """Loopback among them."""
    disks: tuple[str, ...]
    """Mount points of file systems that are watched by default."""
    remote: tuple[str, ...]
    """Those of them that are somewhere else, and may cease to answer."""
    boards: tuple[str, ...] = ()
    """Built-in boards that show something here, beside that of any host."""

    @property
    def passing(self) -> tuple[str, ...]:
        """Beginnings of the names of interfaces that come and go with containers."""
        return tuple(each for each in CONTAINERS if any(name.startswith(each) for name in self.interfaces))


def surroundings(root: Path = Path("/")) -> Surroundings:
    """Of this host, as far as it can be seen."""
    mounts = dict(watched(root))
    return Surroundings(
        name=socket.gethostname(),
        cores=cores(root),
        interfaces=tuple(sorted(path.name for path in folder(root / "sys/class/net"))),
        disks=tuple(mounts),
        remote=tuple(point for point, kind in mounts.items() if REMOTE.fullmatch(kind)),
        boards=tuple(present(root=root)),
    )


def cores(root: Path) -> int:
    return max(
        1, sum(bool(re.fullmatch("cpu[0-9]+", path.name)) for path in folder(root / "sys/devices/system/cpu"))
    )


def watched(root: Path) -> Iterator[tuple[str, str]]:
    """Mount point and type of each file system that is watched by default."""
    rules = Filesystem()
    try:
        lines = (root / "proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        left_out = re.search(rules.mount_points_exclude, point) or re.search(rules.fs_types_exclude, kind)
        if not left_out:
            yield point, kind


def folder(path: Path) -> list[Path]:
    try:
        return [*path.iterdir()]
    except OSError:
        return []
