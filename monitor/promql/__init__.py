"""PromQL: one evaluator for live feeds, the HTTP API and alerts.

The expression is parsed by promql-parser and evaluated by numpy over the interface of `monitor.storage`, with
Prometheus 3's semantics: look-back of five minutes, staleness, windows open on the left, counter resets and
extrapolation.
"""

from monitor.promql.archive import Archive
from monitor.promql.depth import Depth, depth_of
from monitor.promql.errors import AwayError, BrokenError, Limits, QueryError
from monitor.promql.evaluate import Samples, evaluate, select_samples, text_value
from monitor.promql.moment import Moment
from monitor.promql.parse import Query, ValueType, parse, value_type
from monitor.promql.vector import LOOK_BACK

__all__ = [
    "LOOK_BACK",
    "Archive",
    "AwayError",
    "BrokenError",
    "Depth",
    "Limits",
    "Moment",
    "Query",
    "QueryError",
    "Samples",
    "ValueType",
    "depth_of",
    "evaluate",
    "parse",
    "select_samples",
    "text_value",
    "value_type",
]
