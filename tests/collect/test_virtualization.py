"""Virtual machines and containers, by what they leave to be seen."""

from pathlib import Path

import pytest

from monitor.collect import Host
from monitor.collect.virtualization import container, hypervisor


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(str(tmp_path / "proc"), str(tmp_path / "sys"), str(tmp_path))


def write(host: Host, path: str, text: str = "") -> None:
    file = Path(host.root(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_real_machine_is_neither(host: Host) -> None:
    write(host, "/sys/class/dmi/id/sys_vendor", "Dell Inc.\n")
    write(host, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n")
    assert (container(host), hypervisor(host)) == ("", "")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/run/host/container-manager", "systemd-nspawn\n", "systemd-nspawn"),
        ("/run/systemd/container", "lxc", "lxc"),
        ("/run/.containerenv", "", "podman"),
        ("/.dockerenv", "", "docker"),
        ("/run/systemd/container", "x" * 9000, "x" * 64),
    ],
)
def test_a_container_is_called_by_its_runtime(host: Host, path: str, text: str, expected: str) -> None:
    write(host, path, text)
    assert container(host) == expected


@pytest.mark.parametrize(
    ("vendor", "product", "expected"),
    [
        ("QEMU\n", "Standard PC (Q35 + ICH9, 2009)\n", "kvm"),
        ("VMware, Inc.\n", "VMware Virtual Platform\n", "vmware"),
        ("innotek GmbH\n", "VirtualBox\n", "oracle"),
        ("Microsoft Corporation\n", "Virtual Machine\n", "microsoft"),
        ("Microsoft Corporation\n", "Surface Pro\n", ""),
        ("Google\n", "Google Compute Engine\n", "google"),
        ("Amazon EC2\n", "m5.large\n", "amazon"),
    ],
)
def test_a_virtual_machine_is_told_by_its_firmware(
    host: Host, vendor: str, product: str, expected: str
) -> None:
    write(host, "/sys/class/dmi/id/sys_vendor", vendor)
    write(host, "/sys/class/dmi/id/product_name", product)
    assert hypervisor(host) == expected


def test_xen_says_so_itself_and_an_unknown_one_is_told_by_the_processor(host: Host) -> None:
    write(host, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor vme\n")
    assert hypervisor(host) == "other"
    write(host, "/sys/hypervisor/type", "xen\n")
    host.fresh()
    assert hypervisor(host) == "xen"
