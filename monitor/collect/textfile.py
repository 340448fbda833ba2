"""Metrics that scripts left in files: *.prom of a directory, in the Prometheus text format.

A script writes a file beside and renames it into place.  One that is half written, or that gives what another
gave before, is left out as a whole, with node_textfile_scrape_error 1; the others go on.
"""

from __future__ import annotations

from pathlib import Path

from monitor.collect.tree import EVERY, Devices, Samples, Tree
from monitor.formats.textpage import Sample, decode
from monitor.model import Kind, Metric, Series

DIRECTORY = Path("/var/lib/prometheus/node-exporter")
MOST = 10_000
"""Series of all files."""
ERROR = Metric("node_textfile_scrape_error", Kind.GAUGE, "Whether a file could not be read or made out.")
CHANGED = Metric(
    "node_textfile_mtime_seconds",
    Kind.GAUGE,
    "When a file that was read was written, in Unix time.",
    "seconds",
)


class Textfile(Devices):
    """The files of a directory, which may have wildcards; a file that stays as it was is made out once."""

    def __init__(self, every: float = EVERY, directory: Path = DIRECTORY) -> None:
        super().__init__(every)
        self._folder = f"root{directory}"
        self.wanted = ((self._folder, ("*.prom", "*.prom~")),)
        self._read: dict[str, tuple[str, list[Sample]]] = {}

    def samples(self, tree: Tree) -> Samples:
        if not tree.folders.get(self._folder):
            return
        seen: dict[Series, str] = {}
        self._read = {path: held for path, held in self._read.items() if path in tree.texts}
        for path, text in tree.texts.items():
            if path.endswith(".prom") and (found := self._made_out(tree, path, text, seen)) is not None:
                yield from (((sample.metric, sample.series), sample.value) for sample in found)
                if changed := tree.texts.get(f"{path}~"):
                    yield CHANGED.at(file=path.removeprefix("root")), float(int(float(changed)))
        yield ERROR.at(), float(bool(tree.faults))

    def _made_out(self, tree: Tree, path: str, text: str, seen: dict[Series, str]) -> list[Sample] | None:
        """The samples of a file; None for one that is left out, as the tree is told."""
        try:
            before, found = self._read.get(path, ("", []))
            if text != before:
                found = decode(text)
                self._read[path] = text, found
            check(found, seen)
        except ValueError as error:
            tree.faults[path] = str(error)
            return None
        seen.update((sample.series, path) for sample in found)
        return found


def check(found: list[Sample], seen: dict[Series, str]) -> None:
    """Raises ValueError for what a file may not have."""
    for sample in found:
        if sample.timestamp is not None:
            raise ValueError(f"{sample.series.name}: no timestamp expected, the time is that of the pass")
        if sample.series in seen:
            raise ValueError(f"{sample.series.name}: {seen[sample.series]} has the same series")
    if len(seen) + len(found) > MOST:
        raise ValueError(f"at most {MOST} series expected in all files")
