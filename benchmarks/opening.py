"""Start on a folder of history that is large, or has known many series: until questions are answered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from benchmarks.alternate import Figures, alternate
from benchmarks.disk import forget, size
from benchmarks.grown import DAY, Life, Steady, Visits, grow
from benchmarks.history import recorded
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.server import compiled, monitor
from monitor.kept import FOLDER

PATH = "/api/v1/query?"
NOW = PATH + urlencode({"query": "count(up)"})
TOLD = (
    ("now", "to the first answer of /api/v1/query", 1.0),
    ("yesterday", "to the first answer about yesterday", 2.0),
    ("ready", "to /readyz, with the next whole second", 2.0),
)
NOTHING = "nothing stored"


def rows(options: Options) -> Iterator[Row]:
    """Each folder in turn with one in which nothing is stored, files out of the page cache before."""
    with TemporaryDirectory(prefix="bench-") as name, compiled() as environment:
        place = Path(name)
        recording, share = recorded(options, place)[1], options.age
        lives: dict[str, Life] = {
            f"{len(recording):,} series": Steady(recording, share),
            f"{options.visitors:,} series in a month": Visits(options.visitors, share),
        }
        titles = {
            made(place / str(number), life): title for number, (title, life) in enumerate(lives.items())
        }
        (place / NOTHING).mkdir()
        begin = {folder.name: partial(start, folder, environment) for folder in (place / NOTHING, *titles)}
        found = alternate(options.runs, begin)
        for folder, title in titles.items():
            stored = f"{title}, {size(folder) / 1e6:,.0f} MB stored"
            for key, text, most in TOLD:
                against = NOTHING, found[NOTHING][key]
                yield Row(f"start, {stored}: {text}", found[folder.name][key], "s", *against, most=most)


def made(folder: Path, life: Life) -> Path:
    began = time.monotonic()
    grow(folder / "state" / FOLDER, life, round(time.time() * 1000))
    progress(f"{size(folder) / 1e6:,.0f} MB of history made in {time.monotonic() - began:.0f} s")
    return folder


def start(folder: Path, environment: Mapping[str, str]) -> Figures:
    """Seconds from the start of the process."""
    forget(folder)
    query = 'count({__name__=~"node_load1|visit_0", job="bench"}) or vector(0)'
    yesterday = urlencode({"query": query, "time": time.time() - DAY / 1000})
    with monitor(folder, environment=environment) as server:
        return {
            "now": server.wait_until(NOW),
            "yesterday": server.wait_until(PATH + yesterday),
            "ready": server.wait_until("/readyz"),
        }
