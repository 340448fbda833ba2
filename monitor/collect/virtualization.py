"""Whether a host is a virtual machine or a container, and of which kind.

Runtimes say so in /run/host/container-manager and /run/systemd/container (systemd, CONTAINER_INTERFACE), or
leave /run/.containerenv (Podman) and /.dockerenv.  Hypervisors name themselves in /sys/hypervisor/type and
/sys/class/dmi/id, and the processor has the flag `hypervisor` in all of them (CPUID.1:ECX.31).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from monitor.collect.attributes import text
from monitor.collect.host import Host

TOLD = ("/run/host/container-manager", "/run/systemd/container")
LEFT = {"/run/.containerenv": "podman", "/.dockerenv": "docker"}
VENDORS = {
    "QEMU": "kvm",
    "VMware": "vmware",
    "innotek GmbH": "oracle",
    "Parallels": "parallels",
    "Xen": "xen",
    "Microsoft Corporation Virtual": "microsoft",
    "Amazon EC2": "amazon",
    "Google Compute Engine": "google",
    "BHYVE": "bhyve",
}
"""As systemd-detect-virt names them, by what the firmware says."""
MOST = 64


def container(host: Host) -> str:
    """The runtime that this runs in, `docker`; empty outside of all."""
    for path in TOLD:
        with suppress(OSError):
            return host.read(host.root(path))[:MOST].decode(errors="replace").strip()
    return next((name for path, name in LEFT.items() if Path(host.root(path)).exists()), "")


def hypervisor(host: Host) -> str:
    """What the machine runs on, `kvm`; `other` where only the processor tells that there is something, empty
    where nothing tells."""
    if found := text(host, "hypervisor/type"):
        return found
    firmware = [text(host, f"class/dmi/id/{file}") or "" for file in ("sys_vendor", "product_name")]
    for said in (*firmware, " ".join(firmware)):
        for beginning, name in VENDORS.items():
            if said.startswith(beginning):
                return name
    return "other" if flagged(host) else ""


def flagged(host: Host) -> bool:
    """Whether the first processor says that it is not real."""
    with suppress(OSError, ValueError):
        flags = (line for line in host.proc("cpuinfo").splitlines() if line.startswith("flags"))
        return "hypervisor" in next(flags, "").split()
    return False
