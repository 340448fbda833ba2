"""Record real series of this host: `python -m benchmarks.record --minutes 75 PATH`.

Once a second all that the service's collectors measure, and what exporters tell beside them (`--exporter`,
which may be given again: a node_exporter's page, or
Netdata's `/api/v1/allmetrics?format=prometheus&source=as-collected&timestamps=no`).
Of the series that were there all the time it keeps as many as asked for, chosen by lot with a fixed seed, as
many of them constant as were met or as `--varying SHARE` says (an idle machine has hardly a varying one).
`--pages FILE` takes pages that were kept before.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from benchmarks import pages
from benchmarks.host import Watched
from benchmarks.options import progress
from benchmarks.pages import Columns
from benchmarks.recording import Entry, Recording
from monitor.formats.exposition import Exposition, Flavour
from monitor.model import Floats, Kind

SEED = 5
SERIES = 1000
PATIENCE = 5
"""Seconds for an answer of the exporter."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Record, keep and tell what was met."""
    asked = parser().parse_args(arguments)
    found = kept(asked.pages) if asked.pages else taken(round(asked.minutes * 60), 1.0, asked.exporter)
    recording = chosen(*found, asked.series, asked.varying)
    recording.save(asked.path)
    progress(f"{asked.path}: {recording.about}, {asked.path.stat().st_size / 1e6:.1f} MB")
    return 0


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m benchmarks.record", description=__doc__)
    whole.add_argument("path", type=Path, help="where to keep it, outside of the tree")
    whole.add_argument("--minutes", type=float, default=75, help="so long (%(default)s)")
    whole.add_argument("--series", type=int, default=SERIES, help="keep so many (%(default)s)")
    whole.add_argument("--varying", type=float, metavar="SHARE", help="from 0 to 1; as met if left out")
    whole.add_argument(
        "--exporter", metavar="URL", action="append", default=[], help="take this page as well"
    )
    whole.add_argument("--pages", type=Path, metavar="FILE", help="pages kept before, instead of this host")
    return whole


def taken(rows: int, interval: float, exporters: Sequence[str] = ()) -> tuple[list[Entry], Floats]:
    """So many rows of this host, one each `interval` seconds."""
    watched, writer, columns = Watched(interval), Exposition(), Columns()
    began = time.monotonic()

    def tick() -> None:
        if watched.scrape is not None:
            page = writer.encode(watched.scrape.blocks, Flavour.TEXT).decode()
            columns.add("\n".join((page, *map(fetched, exporters))))
        count = len(watched.cpu) + 1
        if count % 60 == 0:
            progress(f"{count} of {rows} rows recorded")
        watched.pace = max(0.0, began + count * interval - time.monotonic())

    watched.passes(rows + 1, tick)
    return columns.whole()


def fetched(url: str) -> str:
    """The page of an exporter."""
    with urlopen(url, timeout=PATIENCE) as answer:
        body: bytes = answer.read()
    return body.decode()


def kept(path: Path) -> tuple[list[Entry], Floats]:
    """The rows of pages kept before."""
    columns = Columns()
    for page in pages.read(path):
        columns.add(page)
    return columns.whole()


def chosen(
    entries: list[Entry], values: Floats, series: int = SERIES, share: float | None = None, seed: int = SEED
) -> Recording:
    """So many of these series; `share` of them vary, or as many as were met."""
    values = unreset(entries, values)
    varying = (values != values[0]).any(axis=0)
    many = min(series, len(entries))
    wanted = round(many * (varying.mean() if share is None else share))
    draw = np.random.default_rng(seed)
    drawn = [
        draw.permutation(np.flatnonzero(varying == which))[:count]
        for which, count in ((True, wanted), (False, many - wanted))
    ]
    places = np.sort(np.concatenate(drawn))
    about = {
        "rows": len(values),
        "met": len(entries),
        "met varying": int(varying.sum()),
        "kept": len(places),
        "kept varying": len(drawn[0]),
        "seed": seed,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    return Recording([entries[place] for place in places], values[:, places], about)


def unreset(entries: list[Entry], values: Floats) -> Floats:
    """Counters without their resets: after one they go on from where they were."""
    lost = np.cumsum(np.where(np.diff(values, axis=0) < 0, -np.diff(values, axis=0), 0.0), axis=0)
    counters = [metric.kind is Kind.COUNTER for metric, _ in entries]
    whole = values.copy()
    whole[1:] += np.where(counters, lost, 0.0)
    return whole


if __name__ == "__main__":
    sys.exit(main())
