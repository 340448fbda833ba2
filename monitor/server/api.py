"""/api/v1: the query API of Prometheus, so that tools made for it (Grafana among them) read this service.

prometheus.io/docs/prometheus/latest/querying/api.  Answers are `{"status": "success", "data": ...}`, errors
`{"status": "error", "errorType": ..., "error": ...}`: bad_data (400), execution (422), timeout (503).
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from monitor.formats import answers
from monitor.model import Labels
from monitor.promql import Limits, Query, QueryError, evaluate, parse, select_samples, text_value, value_type
from monitor.promql.nodes import Selector
from monitor.server.base import Base, NotFound
from monitor.server.errors import Failure
from monitor.server.parameters import FARTHEST, ParameterError, duration, grid, label_name, moment
from monitor.storage import Matcher, Storage

MATCHES = 64
"""Selectors of one request."""
TYPES = {400: "bad_data", 404: "not_found", 500: "internal"}


class Asked(Base):
    """A question to the storage; a kind of question says what its data is."""

    def initialize(self, storage: Storage, limits: Limits, points: int, clock: Callable[[], float]) -> None:
        self.storage, self.limits, self.points, self.clock = storage, limits, points, clock

    def get(self, *_path: str) -> None:
        try:
            data = self.data()
        except ParameterError as error:
            raise Failure(400, "bad_data", str(error)) from error
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(answers.success(data))

    def data(self) -> str:
        """The answer's data in JSON.  Raises ParameterError and Failure."""
        raise NotImplementedError

    def error_body(self, failure: Failure) -> dict[str, object]:
        kind = TYPES.get(failure.status_code, failure.code)
        return {"status": "error", "errorType": kind, "error": failure.message}

    def wanted(self, name: str) -> str:
        """A parameter that has to be there."""
        if not (text := self.get_argument(name, "", strip=False)):
            raise ParameterError(f'parameter "{name}" is missing')
        return text

    def moment(self, name: str, default: int) -> int:
        text = self.get_argument(name, "")
        return moment(name, text) if text else default

    def query(self) -> Query:
        return read("query", self.wanted("query"))

    def bounds(self) -> Limits:
        """The service's limits; a client may ask for a shorter time."""
        text = self.get_argument("timeout", "")
        seconds = duration("timeout", text) / 1000 if text else self.limits.seconds
        return replace(self.limits, seconds=min(seconds, self.limits.seconds))

    def matching(self) -> Iterable[Labels]:
        """Label sets of the series that any `match[]` selects, of all series where there is none."""
        texts = self.get_arguments("match[]", strip=False)
        if len(texts) > MATCHES:
            raise ParameterError(
                f'parameter "match[]" is there {len(texts)} times; at most {MATCHES} are taken'
            )
        start, end = self.moment("start", -FARTHEST), self.moment("end", FARTHEST)
        found: dict[Labels, None] = {}
        for matchers in [selector(text) for text in texts] or [()]:
            found.update(dict.fromkeys(self.storage.series(matchers, start, end)))
        return found


def read(name: str, text: str) -> Query:
    """Raises ParameterError with line and column."""
    try:
        return parse(text)
    except QueryError as error:
        place = position(text, error.position or 0)
        raise ParameterError(f'invalid parameter "{name}": {place}: parse error: {error.message}') from error


def position(text: str, characters: int) -> str:
    """Line and column, both from 1, as Prometheus writes them."""
    before = text[:characters]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a series selector."""
    root = read("match[]", text).root
    if not isinstance(root, Selector) or root.offset or root.at is not None:
        raise ParameterError(
            'invalid parameter "match[]": expected a series selector, such as up{job="node"}'
        )
    return root.matchers


def answered(seconds: float, work: Callable[[], str]) -> str:
    """What an evaluation gives; one that fails has timed out where its time is up, else it cannot be done."""
    began = time.monotonic()
    try:
        return work()
    except QueryError as error:
        late = time.monotonic() - began >= seconds
        status, code = (503, "timeout") if late else (422, "execution")
        raise Failure(status, code, error.message) from error


class InstantQuery(Asked):
    """The value of an expression at one time."""

    def data(self) -> str:
        query, at = self.query(), self.moment("time", round(self.clock() * 1000))
        bounds = self.bounds()
        return answered(bounds.seconds, lambda: self.answer(query, at, bounds))

    def answer(self, query: Query, at: int, bounds: Limits) -> str:
        match value_type(query):
            case "string":
                return answers.string(at, text_value(query))
            case "matrix":
                return answers.samples(select_samples(query, self.storage, at, bounds))
            case "scalar":
                return answers.scalar(evaluate(query, self.storage, at, at, 1, bounds))
            case "vector":
                return answers.vector(evaluate(query, self.storage, at, at, 1, bounds))

    def post(self) -> None:
        self.get()


class RangeQuery(Asked):
    """The values of an expression over a grid of times."""

    def data(self) -> str:
        query, bounds = self.query(), self.bounds()
        start, end, step = grid(self.wanted("start"), self.wanted("end"), self.wanted("step"), self.points)
        kind = value_type(query)
        if kind not in ("scalar", "vector"):
            raise ParameterError(f'invalid parameter "query": a range query cannot give a {kind}')
        return answered(
            bounds.seconds, lambda: answers.matrix(evaluate(query, self.storage, start, end, step, bounds))
        )

    def post(self) -> None:
        self.get()


class SeriesList(Asked):
    """The label sets of series."""

    def data(self) -> str:
        self.wanted("match[]")
        return answers.listed(map(dict, sorted(self.matching())))

    def post(self) -> None:
        self.get()


class LabelNames(Asked):
    def data(self) -> str:
        return answers.listed(sorted({name for labels in self.matching() for name, _ in labels}))

    def post(self) -> None:
        self.get()


class LabelValues(Asked):
    def data(self) -> str:
        wanted = label_name(self.path_args[0])
        return answers.listed(
            sorted({value for labels in self.matching() for name, value in labels if name == wanted})
        )


class Metadata(Asked):
    """Type, help and unit by metric name."""

    def data(self) -> str:
        only = self.get_argument("metric", "")
        return answers.metadata(
            metric for name, metric in sorted(self.storage.metadata().items()) if only in ("", name)
        )


class Unknown(Asked, NotFound):
    """What this part of the API does not have."""


ROUTES = (
    (r"/api/v1/query", InstantQuery),
    (r"/api/v1/query_range", RangeQuery),
    (r"/api/v1/series", SeriesList),
    (r"/api/v1/labels", LabelNames),
    (r"/api/v1/label/([^/]*)/values", LabelValues),
    (r"/api/v1/metadata", Metadata),
    (r"/api/v1/.*", Unknown),
)
