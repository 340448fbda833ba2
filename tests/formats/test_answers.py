"""Answers of the query API, read back by a plain JSON reader."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import answers
from monitor.model import Columns, Kind, Metric

NAN = float("nan")


def columns(*rows: list[float], times: tuple[int, ...] = (1000, 1500, 2000)) -> Columns:
    series = tuple((("__name__", "load"), ("row", str(at))) for at in range(len(rows)))
    return Columns(np.array(times), series, np.array(rows, dtype=float).reshape(len(rows), len(times)))


def read(data: str) -> Any:
    answer = json.loads(answers.success(data))
    assert answer["status"] == "success"
    return answer["data"]


def test_a_matrix_leaves_gaps_out() -> None:
    assert read(answers.matrix(columns([1.0, NAN, 0.25], [NAN, NAN, NAN], [NAN, float("-inf"), 1e22]))) == {
        "resultType": "matrix",
        "result": [
            {"metric": {"__name__": "load", "row": "0"}, "values": [[1, "1"], [2, "0.25"]]},
            {"metric": {"__name__": "load", "row": "2"}, "values": [[1.5, "-Inf"], [2, "1e+22"]]},
        ],
    }


def test_a_vector_has_the_value_of_every_series() -> None:
    assert read(answers.vector(columns([3.5], [NAN], times=(2000,)))) == {
        "resultType": "vector",
        "result": [
            {"metric": {"__name__": "load", "row": "0"}, "value": [2, "3.5"]},
            {"metric": {"__name__": "load", "row": "1"}, "value": [2, "NaN"]},
        ],
    }


def test_raw_samples_have_times_of_their_own() -> None:
    held = [((("a", "b"),), np.array([1000, 2500]), np.array([0.5, NAN]))]
    assert read(answers.samples(held)) == {
        "resultType": "matrix",
        "result": [{"metric": {"a": "b"}, "values": [[1, "0.5"], [2.5, "NaN"]]}],
    }


def test_metadata_tells_type_help_and_unit() -> None:
    told = answers.metadata([Metric("node_load1", Kind.GAUGE, 'The "load".', "")])
    assert read(told) == {"node_load1": [{"type": "gauge", "help": 'The "load".', "unit": ""}]}


def test_scalars_and_strings_have_a_time() -> None:
    assert read(answers.scalar(columns([NAN], times=(1764000000123,)))) == {
        "resultType": "scalar",
        "result": [1764000000.123, "NaN"],
    }
    assert read(answers.string(1000, 'a"b')) == {"resultType": "string", "result": [1, 'a"b']}


def test_nothing_is_an_empty_list() -> None:
    assert read(answers.matrix(columns())) == {"resultType": "matrix", "result": []}
    assert read(answers.vector(columns())) == {"resultType": "vector", "result": []}


@given(st.dictionaries(st.text(), st.text(), max_size=3), st.floats(allow_nan=False))
def test_any_label_and_value_comes_back(labels: dict[str, str], value: float) -> None:
    held = Columns(np.array([0]), (tuple(sorted(labels.items())),), np.array([[value]]))
    ((row,), (point,)) = read(answers.vector(held))["result"], read(answers.matrix(held))["result"]
    assert row["metric"] == point["metric"] == labels
    assert float(row["value"][1]) == float(point["values"][0][1]) == value


@pytest.mark.parametrize("milliseconds", [0, 1, 999, 1764000000123, -1500, 253402300799999])
def test_stamps_keep_every_millisecond(milliseconds: int) -> None:
    assert round(float(answers.stamp(milliseconds)) * 1000) == milliseconds
