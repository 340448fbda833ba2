"""Built-in boards that show something on this host, by what is there and what is collected of it.

It costs a few looks at folders (sysfs(5), proc(5), cgroups(7)), and asks no hardware.
"""

from pathlib import Path
from typing import Any, NamedTuple


class Source(NamedTuple):
    """A board, a collector that it draws, and where the host has what that collects."""

    board: str
    collector: str
    places: tuple[str, ...]
    """Patterns below the root; none where it takes targets."""
    on: bool = True
    """Whether the collector is on by default."""


CONTAINERS = (
    "run/systemd/system",
    "run/docker.sock",
    "run/podman/podman.sock",
    *(f"sys/fs/cgroup/{name}" for name in ("docker", "kubepods*", "machine.slice", "lxc*")),
)
SOURCES = (
    Source("containers", "containers", CONTAINERS),
    Source("sensors", "hwmon", ("sys/class/hwmon/*",)),
    Source("sensors", "thermal_zone", ("sys/class/thermal/thermal_zone*",)),
    Source("sensors", "powersupplyclass", ("sys/class/power_supply/BAT*",)),
    Source("gpu", "nvidia", ("proc/driver/nvidia/version",)),
    Source("gpu", "drm", ("sys/class/drm/card*/device/gpu_busy_percent",), on=False),
    Source("probes", "probes", ()),
)
ROOTS = {"proc": "procfs", "sys": "sysfs"}
"""Settings that say where these are."""
HERE = Path("/")


def present(collect: object = None, root: Path | None = None) -> list[str]:
    """Names of boards, in the order to be shown.

    `collect` holds settings as they are written, unchecked, each switch in full; where they do not say where
    the host's files are, these are below `root`.
    """
    written = group(collect)
    below = HERE if root is None else root
    return [*dict.fromkeys(each.board for each in SOURCES if shows(each, written, below))]


def shows(source: Source, collect: dict[str, Any], root: Path) -> bool:
    options = group(group(collect.get("collectors")).get(source.collector))
    if options.get("enabled", source.on) is not True:
        return False
    return bool(options.get("targets")) or any(there(each, collect, root) for each in source.places)


def there(pattern: str, collect: dict[str, Any], root: Path) -> bool:
    """Whether the host has what a pattern matches."""
    first, _, rest = pattern.partition("/")
    folder = collect.get(ROOTS.get(first, "rootfs"))
    if isinstance(folder, str):
        root, pattern = Path(folder), rest if first in ROOTS else pattern
    try:
        return any(True for _ in root.glob(pattern))
    except (OSError, ValueError):
        return False


def group(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
