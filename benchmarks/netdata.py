"""Netdata beside our history: it cannot be given a past, but its database keeps the same rows live.

They come from an external plugin (learn.netdata.cloud, "External plugins"), all other plugins are off.
Netdata keeps 32-bit floats.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.options import progress
from benchmarks.recording import Recording, load
from benchmarks.server import Server, free_port, running

NAME = "Netdata"
CONFIG = """\
[global]
    hostname = bench
[directories]
    config = {folder}/etc
    cache = {folder}/data
    lib = {folder}/lib
    log = {folder}/lib
    lock = {folder}/lib
    home = {folder}/lib
    plugins = {folder}/etc
[db]
    mode = dbengine
    update every = 1
[web]
    bind to = 127.0.0.1
    default port = {port}
[ml]
    enabled = no
[health]
    enabled = no
[statsd]
    enabled = no
[plugins]
    enable running new plugins = no
    check for new plugins every = 3600
    timex = no
    idlejitter = no
    tc = no
    proc = no
    diskspace = no
    cgroups = no
    slabinfo = no
    netdata monitoring = no
    netdata monitoring extended = no
    bench = yes
[plugin:bench]
    update every = 1
"""
PLUGIN = """\
#!/bin/sh
PYTHONPATH={root} exec {python} -m benchmarks.netdata {recording}
"""
ROOT = Path(__file__).resolve().parent.parent
FINE = 1_000_000
"""Netdata takes whole numbers and divides."""


def missing() -> bool:
    """Whether it is not here; says so."""
    found = shutil.which("netdata")
    if not found:
        progress(f"left out: {NAME}, for lack of netdata")
    return not found


def server(folder: Path, recording: Path) -> AbstractContextManager[Server]:
    """Netdata in a folder, fed with a recording."""
    port, config, plugin = free_port(), folder / "etc/netdata.conf", folder / "etc/bench.plugin"
    for name in ("etc", "data", "lib"):
        (folder / name).mkdir(exist_ok=True)
    config.write_text(CONFIG.format(folder=folder, port=port), encoding="utf-8")
    text = PLUGIN.format(root=ROOT, python=sys.executable, recording=recording)
    plugin.write_text(text, encoding="utf-8")
    plugin.chmod(0o755)
    return running(
        ["netdata", "-D", "-c", str(config), "-W", "set", "global", "run as user", "root"], port, folder
    )


def charts(recording: Recording) -> dict[str, list[int]]:
    """Columns by metric: a chart each, as Netdata's own collectors have it."""
    found: dict[str, list[int]] = {}
    for place, (_, series) in enumerate(recording.entries):
        found.setdefault(series.name, []).append(place)
    return found


def main(arguments: Sequence[str]) -> None:
    """The plugin: tell the charts, then their values once a second."""
    recording = load(Path(arguments[0]))
    known = charts(recording)
    for name, places in known.items():
        print(f"CHART bench.{name} '' '{name}' 'units' bench '' line 1000 1")
        for place in places:
            print(f"DIMENSION d{place} '' absolute 1 {FINE}")
    second = 0
    while True:
        values = [round(value * FINE) for value in recording.rows(second, 1)[0].tolist()]
        lines = []
        for name, places in known.items():
            lines.append(f"BEGIN bench.{name}")
            lines += [f"SET d{place} = {values[place]}" for place in places]
            lines.append("END")
        print("\n".join(lines), flush=True)
        second += 1
        time.sleep(1 - time.time() % 1)


if __name__ == "__main__":
    main(sys.argv[-1:])
