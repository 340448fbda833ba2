"""A procfs that a test writes: /proc/stat, and processes that come, work and end."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from monitor.collect import Host

STAT = "{pid} ({comm}) {state} 1 1 1 0 -1 {flags} {minor} 0 {major} 0 {user} {system} 0 0 20 0 {threads} 0"
KERNEL = 0x208040


class Procfs:
    """`made` is what the kernel counts as processes made, which `begin` raises; close `open` at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.made = 100
        self.open = ExitStack()
        """What was opened of it."""
        self._count()

    def host(self) -> Host:
        host = Host(str(self.root))
        self.open.callback(host.close)
        return host

    def begin(self, pid: int, comm: str = "worker", **fields: int | str) -> None:
        """A process starts."""
        (self.root / str(pid)).mkdir()
        self.set(pid, comm, **fields)
        self.made += 1
        self._count()

    def set(self, pid: int, comm: str = "worker", **fields: int | str) -> None:
        """Its stat from now on."""
        known: dict[str, int | str] = {"state": "S", "flags": 0, "minor": 0, "major": 0}
        known |= {"user": 0, "system": 0, "threads": 1}
        known |= {"start": 100, "virtual": 4096, "resident": 1} | fields
        text = STAT.format(pid=pid, comm=comm, **known)
        end = "{start} {virtual} {resident} 0 0 0\n".format(**known)
        self.write(pid, "stat", f"{text} {end}")

    def write(self, pid: int, name: str, text: str) -> None:
        (self.root / str(pid) / name).write_text(text)

    def io(self, pid: int, read: int, written: int) -> None:
        self.write(pid, "io", f"rchar: 1\nread_bytes: {read}\nwrite_bytes: {written}\n")

    def unit(self, pid: int, path: str) -> None:
        self.write(pid, "cgroup", f"0::{path}\n")

    def end(self, pid: int) -> None:
        """It is gone."""
        shutil.rmtree(self.root / str(pid))

    def _count(self) -> None:
        (self.root / "stat").write_text(f"cpu 1\nbtime 1767225600\nprocesses {self.made}\n")
