"""Columns written as the Prometheus HTTP API answers them, in JSON (its "Expression query result formats").

Times are Unix seconds, values are strings; where a series has no value, its point is left out.
"""

import json
from collections.abc import Iterable

from monitor.formats.exposition import number
from monitor.model import Columns, Event, Floats, Labels, Metric, Times


def success(data: str) -> bytes:
    """A whole answer around a piece of JSON."""
    return f'{{"status":"success","data":{data}}}'.encode()


def result(kind: str, body: str) -> str:
    return f'{{"resultType":"{kind}","result":{body}}}'


def matrix(columns: Columns) -> str:
    """Every series that has a value, with its points in time."""
    times = [f'[{stamp(time)},"' for time in columns.timestamps.tolist()]
    rows = []
    for labels, values in zip(columns.series, columns.values, strict=True):
        pairs = zip(times, values.tolist(), strict=True)
        if points := ",".join([f'{time}{number(value)}"]' for time, value in pairs if value == value]):
            rows.append(f'{{"metric":{metric(labels)},"values":[{points}]}}')
    return result("matrix", f"[{','.join(rows)}]")


def samples(series: Iterable[tuple[Labels, Times, Floats]]) -> str:
    """Raw samples, each series with times of its own (ms); a NaN here is a value that was collected."""
    rows = []
    for labels, times, values in series:
        pairs = zip(times.tolist(), values.tolist(), strict=True)
        points = ",".join([f'[{stamp(time)},"{number(value)}"]' for time, value in pairs])
        rows.append(f'{{"metric":{metric(labels)},"values":[{points}]}}')
    return result("matrix", f"[{','.join(rows)}]")


def vector(columns: Columns) -> str:
    """The result of one instant: every series in it has a value there, which may be NaN."""
    time = stamp(int(columns.timestamps[-1]))
    rows = [
        f'{{"metric":{metric(labels)},"value":[{time},"{number(value)}"]}}'
        for labels, value in zip(columns.series, columns.values[:, -1].tolist(), strict=True)
    ]
    return result("vector", f"[{','.join(rows)}]")


def scalar(columns: Columns) -> str:
    """The one value at the last time."""
    return result("scalar", f'[{stamp(int(columns.timestamps[-1]))},"{number(columns.values[0, -1])}"]')


def string(time: int, text: str) -> str:
    """`time` in milliseconds."""
    return result("string", f"[{stamp(time)},{json.dumps(text)}]")


def metadata(metrics: Iterable[Metric]) -> str:
    """Type, help and unit by name."""
    return json.dumps({one.name: [{"type": one.kind, "help": one.help, "unit": one.unit}] for one in metrics})


def events(found: Iterable[Event]) -> str:
    """What happened; a moment has an `end` that is its `time`."""
    return listed({**one._asdict(), "time": one.time / 1000, "end": one.end / 1000} for one in found)


def listed(values: Iterable[object]) -> str:
    return json.dumps(list(values), separators=(",", ":"))


def metric(labels: Labels) -> str:
    return json.dumps(dict(labels), separators=(",", ":"))


def stamp(milliseconds: int) -> str:
    """Unix seconds, with a fraction where there is one."""
    return number(milliseconds / 1000)
