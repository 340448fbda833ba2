"""ZFS: /proc/spl/kstat/zfs, tables of `name type data` and, for each pool, its state, work and data sets.

OpenZFS, module/os/linux/spl/spl-kstat.c: type 3 is a signed and 4 an unsigned number of 64 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from monitor.collect.tree import Devices, Samples, Tree
from monitor.model import Kind, Metric

FOLDER = "proc/spl/kstat/zfs"
TABLES = {
    "abdstats": "zfs_abd",
    "arcstats": "zfs_arc",
    "dbufstats": "zfs_dbuf",
    "dmu_tx": "zfs_dmu_tx",
    "dnodestats": "zfs_dnode",
    "fm": "zfs_fm",
    "vdev_cache_stats": "zfs_vdev_cache",
    "vdev_mirror_stats": "zfs_vdev_mirror",
    "xuio_stats": "zfs_xuio",
    "zfetchstats": "zfs_zfetch",
    "zil": "zfs_zil",
}
STATE = Metric("node_zfs_zpool_state", Kind.GAUGE, "Whether a pool is in a state.")
STATES = ("online", "degraded", "faulted", "offline", "removed", "unavail", "suspended")
HEAD = ["name", "type", "data"]
NUMBERS = ("3", "4")


class Zfs(Devices):
    wanted = ((FOLDER, tuple(TABLES)), (f"{FOLDER}/*", ("io", "state", "objset-*")))

    def samples(self, tree: Tree) -> Samples:
        for file, subsystem in TABLES.items():
            for name, value in rows(tree.text(f"{FOLDER}/{file}")):
                yield metric(subsystem, name).at(), value
        for pool, path in tree.each(f"{FOLDER}/*"):
            if state := tree.text(f"{path}/state").lower():
                for each in STATES:
                    yield STATE.at(zpool=pool, state=each), float(each == state)
            for name, value in columns(tree.text(f"{path}/io")):
                yield metric("zfs_zpool", name).at(zpool=pool), value
        for path, text in tree.texts.items():
            pool, _, file = path.removeprefix(f"{FOLDER}/").partition("/")
            if file.startswith("objset-"):
                yield from dataset(pool, text)


def dataset(pool: str, text: str) -> Samples:
    """The series of a data set, whose name is in its table."""
    names = [line.split(maxsplit=2)[2] for line in text.splitlines() if line.startswith("dataset_name ")]
    for name, value in rows(text):
        yield metric("zfs_zpool_dataset", name).at(zpool=pool, dataset="".join(names).strip()), value


def rows(text: str) -> Iterator[tuple[str, float]]:
    """The numbers of a table of `name type data`."""
    found = [line.split() for line in text.splitlines()]
    start = found.index(HEAD) + 1 if HEAD in found else len(found)
    for words in found[start:]:
        if len(words) == 3 and words[1] in NUMBERS:
            yield words[0], float(words[2])


def columns(text: str) -> Iterator[tuple[str, float]]:
    """The numbers of a line of names with one of numbers below it."""
    lines = text.splitlines()[1:]
    names, numbers = (line.split() for line in lines) if len(lines) == 2 else ([], [])
    return zip(names, map(float, numbers), strict=True)


@cache
def metric(subsystem: str, name: str) -> Metric:
    """The metric of a row."""
    return Metric(
        f"node_{subsystem}_{name.replace('-', '_')}", Kind.UNKNOWN, f"{name} as ZFS counts it ({subsystem})."
    )
