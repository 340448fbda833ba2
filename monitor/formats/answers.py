"""Columns written as the Prometheus HTTP API answers them, in JSON (its "Expression query result formats").

Times are Unix seconds, values are strings; where a series has no value, its point is left out.
"""

import json
from collections.abc import Iterable

import numpy as np

from monitor.formats.exposition import number
from monitor.model import Columns, Labels


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
        held = np.flatnonzero(~np.isnan(values)).tolist()
        if held:
            points = ",".join([f'{times[at]}{number(values[at])}"]' for at in held])
            rows.append(f'{{"metric":{metric(labels)},"values":[{points}]}}')
    return result("matrix", f"[{','.join(rows)}]")


def vector(columns: Columns) -> str:
    """Every series that has a value at the last time."""
    time = stamp(int(columns.timestamps[-1]))
    values = columns.values[:, -1].tolist()
    rows = [
        f'{{"metric":{metric(labels)},"value":[{time},"{number(value)}"]}}'
        for labels, value in zip(columns.series, values, strict=True)
        if value == value
    ]
    return result("vector", f"[{','.join(rows)}]")


def scalar(time: int, value: float) -> str:
    """`time` in milliseconds."""
    return result("scalar", f'[{stamp(time)},"{number(value)}"]')


def string(time: int, text: str) -> str:
    """`time` in milliseconds."""
    return result("string", f"[{stamp(time)},{json.dumps(text)}]")


def listed(values: Iterable[object]) -> str:
    return json.dumps(list(values), separators=(",", ":"))


def metric(labels: Labels) -> str:
    return json.dumps(dict(labels), separators=(",", ":"))


def stamp(milliseconds: int) -> str:
    """Unix seconds, with a fraction where there is one."""
    return number(milliseconds / 1000)
