"""Samples of the past as a Parquet file (parquet.apache.org), by the optional package pyarrow.

The columns are those of `monitor.formats.comma`; labels that a series does not have are null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from monitor.formats.comma import FIXED, LABEL, family
from monitor.formats.tracks import MOST, TrackError, right_time
from monitor.model import Kind, Metric, Track

SOME = 500_000
"""Rows that are written, and read, at once."""


def arrow() -> Any:
    """The package.  Raises TrackError where it is missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise TrackError(
            "Parquet needs the package pyarrow, which is not installed: pip install 'monitor[parquet]'"
        ) from error
    return pa


def write(groups: Iterable[list[Track]], labels: Sequence[str], values: Sequence[str], out: BinaryIO) -> int:
    """Write tracks; `labels` and `values` name the columns.  How many rows there are.  Raises TrackError."""
    pa = arrow()
    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            ("time", pa.timestamp("ms", tz="UTC")),
            *((name, text) for name in FIXED[1:]),
            *((name, pa.float64()) for name in values),
            *((LABEL + name, text) for name in labels),
        ]
    )
    count = 0
    with pa.parquet.ParquetWriter(out, schema) as writer:
        for batch in batches(groups):
            writer.write_table(pa.Table.from_arrays(list(columns(pa, batch, labels)), schema=schema))
            count += sum(len(track.times) for track in batch)
    return count


def batches(groups: Iterable[list[Track]]) -> Iterator[list[Track]]:
    held: list[Track] = []
    rows = 0
    for group in groups:
        held += group
        rows += sum(len(track.times) for track in group)
        if rows >= SOME:
            yield held
            held, rows = [], 0
    if held:
        yield held


def columns(pa: Any, tracks: list[Track], labels: Sequence[str]) -> Iterator[Any]:
    own = [dict(track.labels) for track in tracks]
    lengths = [len(track.times) for track in tracks]
    times = np.concatenate([track.times for track in tracks])
    yield pa.array(times, pa.int64()).cast(pa.timestamp("ms", tz="UTC"))
    yield repeated(pa, [each["__name__"] for each in own], lengths)
    yield repeated(pa, [track.metric.kind.value for track in tracks], lengths)
    yield repeated(pa, [track.metric.unit for track in tracks], lengths)
    for value in range(len(tracks[0].values)):
        yield pa.array(np.concatenate([track.values[value] for track in tracks]))
    for name in labels:
        yield repeated(pa, [each.get(name) for each in own], lengths)


def repeated(pa: Any, texts: list[str | None], lengths: list[int]) -> Any:
    """A text for each track, as often as the track has rows."""
    clean = [None if text is None else text.encode(errors="replace").decode() for text in texts]
    known = {
        text: place for place, text in enumerate(dict.fromkeys(text for text in clean if text is not None))
    }
    places = np.repeat([-1 if text is None else known[text] for text in clean], lengths)
    indices = pa.array(places, pa.int32(), mask=places < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(known), pa.string()))


class Reader:
    """Reads rows.  Raises TrackError for what is none of the format."""

    def __init__(self, file: BinaryIO, name: str, until: int = MOST) -> None:
        """`until` is the time (ms) that no sample may be after."""
        self._file, self._name, self._until = file, name, until

    def tracks(self) -> Iterator[Track]:
        """Runs of samples of one series, in the order of the file."""
        pa = arrow()
        try:
            file = pa.parquet.ParquetFile(self._file)
            labels = self._labels(file.schema_arrow.names)
            row = 0
            wanted = [*FIXED, "value", *(LABEL + each for each in labels)]
            for batch in file.iter_batches(SOME // 10, columns=wanted):
                yield from self._runs(pa, batch, labels, row)
                row += batch.num_rows
        except pa.ArrowException as error:
            raise self._refused(f"expected a Parquet file ({error})") from error

    def _refused(self, why: str) -> TrackError:
        return TrackError(f"{self._name}: {why}; nothing was imported")

    def _labels(self, names: list[str]) -> list[str]:
        if not {*FIXED, "value"} <= set(names):
            raise self._refused(
                f"found columns {', '.join(names)[:200]}; expected {', '.join(FIXED)}, value "
                "and label.NAME, samples as they came"
            )
        return [name.removeprefix(LABEL) for name in names if name.startswith(LABEL)]

    def _runs(self, pa: Any, batch: Any, labels: list[str], row: int) -> Iterator[Track]:
        times = batch["time"].cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64())
        values = batch["value"].cast(pa.float64())
        if times.null_count or values.null_count:
            raise self._refused(f"a time or a value is null between rows {row} and {row + len(times)}")
        texts = [batch[name].to_pylist() for name in (*FIXED[1:], *(LABEL + each for each in labels))]
        keys = list(zip(*texts, strict=True))
        starts = [place for place in range(len(keys)) if not place or keys[place] != keys[place - 1]]
        moments, numbers = times.to_numpy(), values.to_numpy(zero_copy_only=False)
        for place, time in enumerate((moments.min(), moments.max()) if len(moments) else ()):
            if not right_time(time, self._until):
                found = row + int(moments.argmax() if place else moments.argmin())
                raise self._refused(f"row {found}: expected a time after 1970 and not in the future")
        for start, end in zip(starts, [*starts[1:], len(keys)], strict=True):
            name, kind, unit, *own = keys[start]
            if not name or kind not in set(Kind):
                raise self._refused(
                    f"row {row + start}: found {name!r}, {kind!r}, expected a name, and a type of "
                    f"{', '.join(Kind)}"
                )
            pairs = {"__name__": name, **dict(pair for pair in zip(labels, own, strict=True) if pair[1])}
            metric = Metric(family(name, Kind(kind)), Kind(kind), "", unit or "")
            yield Track(tuple(sorted(pairs.items())), metric, moments[start:end], numbers[None, start:end])
