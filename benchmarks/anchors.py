"""Prometheus and VictoriaMetrics beside our history: the same samples put in, the same questions asked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from benchmarks.disk import size
from benchmarks.options import progress
from benchmarks.past import Past, series_text
from benchmarks.server import PATIENCE, Server, free_port, running
from monitor.formats.exposition import number

BLOCK = 7200
"""Seconds of a block of Prometheus."""
PIECE = 3600
MERGES = re.compile(r"^vm_active_(?:force_)?merges\S* (\d+)$", re.MULTILINE)
TOGETHER = 50
"""Series of one request of an import."""
SCRAPE = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: bench
    metrics_path: {path}
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{instance: recording}}}}]
"""


class Anchor(ABC):
    """An engine with the interface of Prometheus, in a folder."""

    name: str
    programs: tuple[str, ...]
    ready: str
    """A path that answers with 200 once questions are answered."""

    @abstractmethod
    def command(self, data: Path, port: int, scrape: Path) -> list[str]:
        """The command line that runs it."""

    @abstractmethod
    def load(self, past: Past, folder: Path) -> None:
        """Put all samples in; nothing runs after it."""

    @abstractmethod
    def sizes(self, folder: Path) -> tuple[int, int]:
        """Bytes of the samples alone, and of all that is kept."""

    @abstractmethod
    def day(self, past: Past, points: int) -> list[str]:
        """Requests for min, max and average of a series over all the time."""

    def missing(self) -> list[str]:
        """Programs that are not here."""
        return [program for program in self.programs if not shutil.which(program)]

    def server(self, folder: Path, target: int | None = None) -> AbstractContextManager[Server]:
        """Running in a folder, scraping a port of this host where one is named."""
        scrape, data, port = folder / "scrape.yml", folder / "data", free_port()
        text = "scrape_configs: []\n" if target is None else SCRAPE.format(port=target, path=f"/{self.name}")
        scrape.write_text(text, encoding="utf-8")
        data.mkdir(exist_ok=True)
        return running(self.command(data, port, scrape), port, folder)


class Prometheus(Anchor):
    """Blocks are made by promtool, each from a text of two hours; compaction is off: it changes no chunk."""

    name = "Prometheus"
    programs = ("prometheus", "promtool")
    ready = "/-/ready"

    def command(self, data: Path, port: int, scrape: Path) -> list[str]:
        return [
            "prometheus",
            f"--config.file={scrape}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=10y",
            "--storage.tsdb.max-block-duration=2h",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]

    def load(self, past: Past, folder: Path) -> None:
        lefts = [series_text(labels) for labels in past.labels]
        for first in range(0, past.seconds, BLOCK):
            with TemporaryDirectory(prefix="bench-") as place:
                text = Path(place, "samples.om")
                with text.open("w", encoding="utf-8") as file:
                    file.writelines(openmetrics(past, lefts, first, min(BLOCK, past.seconds - first)))
                    file.write("# EOF\n")
                subprocess.run(
                    [
                        "promtool",
                        "tsdb",
                        "create-blocks-from",
                        "openmetrics",
                        "-q",
                        str(text),
                        str(folder / "data"),
                    ],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )

    def sizes(self, folder: Path) -> tuple[int, int]:
        blocks = size(folder, "data/*/chunks/*", "data/*/index", "data/*/meta.json", "data/*/tombstones")
        return size(folder, "data/*/chunks/*"), blocks

    def day(self, past: Past, points: int) -> list[str]:
        chosen, step = series_text(past.varying()), past.seconds * 1000 // points
        return [
            ranged(past, f"{how}_over_time({chosen}[{step}ms])", past.seconds, points)
            for how in ("min", "max", "avg")
        ]


class Victoria(Anchor):
    """Samples come by /api/v1/import; the caches of answers are off, those of blocks are on."""

    name = "VictoriaMetrics"
    programs = ("victoria-metrics",)
    ready = "/health"

    def command(self, data: Path, port: int, scrape: Path) -> list[str]:
        return [
            "victoria-metrics",
            f"-storageDataPath={data}",
            "-retentionPeriod=100y",
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-promscrape.config={scrape}",
            "-search.latencyOffset=1ms",
            "-search.disableCache",
            "-loggerLevel=ERROR",
        ]

    def load(self, past: Past, folder: Path) -> None:
        with self.server(folder) as server:
            server.wait_until(self.ready)
            self._fill(past, server)

    def _fill(self, past: Past, server: Server) -> None:
        connection = connect(server)
        for first in range(0, past.seconds, PIECE):
            count = min(PIECE, past.seconds - first)
            stamps = [past.start + 1000 * second for second in range(first, first + count)]
            columns = past.recording.rows(first, count).T.tolist()
            for place in range(0, len(columns), TOGETHER):
                lines = [
                    json.dumps({"metric": dict(labels), "values": values, "timestamps": stamps})
                    for labels, values in zip(
                        past.labels[place:], columns[place : place + TOGETHER], strict=False
                    )
                ]
                connection.request("POST", "/api/v1/import", "\n".join(lines))
                checked(connection)
        for path in ("/internal/force_flush", "/internal/force_merge"):
            connection.request("GET", path)
            checked(connection)
        while self._merges(connection):
            time.sleep(0.05)
        connection.close()

    def _merges(self, connection: HTTPConnection) -> int:
        """Merges that still run: to end it then is a panic, and what came last is lost."""
        connection.request("GET", "/metrics")
        counts = MERGES.findall(checked(connection).decode())
        return sum(map(int, counts))

    def sizes(self, folder: Path) -> tuple[int, int]:
        return size(folder, "data/data/**/*"), size(folder / "data")

    def day(self, past: Past, points: int) -> list[str]:
        step = past.seconds * 1000 // points
        return [ranged(past, f"rollup({series_text(past.varying())}[{step}ms])", past.seconds, points)]


def openmetrics(past: Past, lefts: list[str], first: int, count: int) -> Iterator[str]:
    """The samples of each series, line by line, without types, which hold names to rules."""
    stamps = [f" {past.start / 1000 + second:.3f}\n" for second in range(first, first + count)]
    columns = past.recording.rows(first, count).T.tolist()
    for left, values in zip(lefts, columns, strict=True):
        yield "".join([f"{left} {number(value)}{stamp}" for value, stamp in zip(values, stamps, strict=True)])


def ranged(past: Past, query: str, seconds: float, points: int) -> str:
    """The path of a range query over the last so many seconds."""
    step = seconds / points
    first = past.end / 1000 - seconds + step
    return "/api/v1/query_range?" + urlencode(
        {"query": query, "start": f"{first:.3f}", "end": f"{past.end / 1000:.3f}", "step": f"{step:.3f}"}
    )


def several(past: Past, count: int, points: int) -> list[str]:
    """So many series over the last hour, the newest value at each point."""
    pattern = "|".join(past.some(count))
    return [ranged(past, f'{{__name__=~"{pattern}"}}', min(3600, past.seconds), points)]


def newest(past: Past) -> list[str]:
    """The last value of every series."""
    return ["/api/v1/query?" + urlencode({"query": '{job="bench"}', "time": f"{past.end / 1000:.3f}"})]


def connect(server: Server) -> HTTPConnection:
    return HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)


def checked(connection: HTTPConnection) -> bytes:
    """The body of an answer; raises ValueError, with what was said, where it is none of success."""
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 300:
        raise ValueError(f"status {answer.status}: {body[:300]!r}")
    return body


def found(body: bytes) -> int:
    """Samples in an answer."""
    result: list[dict[str, Any]] = json.loads(body)["data"]["result"]
    return sum(len(one.get("values", [one.get("value")])) for one in result)


def here(names: Sequence[str]) -> list[Anchor]:
    """Those of these names that are installed; what is not is said."""
    found: list[Anchor] = []
    for anchor in (Prometheus(), Victoria()):
        missing = anchor.missing()
        if anchor.name not in names:
            continue
        if missing:
            progress(f"left out: {anchor.name}, for lack of {' and '.join(missing)}")
        else:
            found.append(anchor)
    return found
