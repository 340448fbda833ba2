"""/api/v1: the query API of Prometheus, so that tools made for it (Grafana among them) read this service.

prometheus.io/docs/prometheus/latest/querying/api.  Answers are `{"status": "success", "data": ...}`, errors
`{"status": "error", "errorType": ..., "error": ...}`: bad_data (400), execution (422), timeout (503),
unavailable (503).  What memory has is answered at once, and what lies beyond it by threads that read history.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from monitor.access import Permission
from monitor.formats import answers
from monitor.model import Event, Labels
from monitor.promql import (
    Archive,
    AwayError,
    Limits,
    Query,
    QueryError,
    depth_of,
    evaluate,
    parse,
    select_samples,
    text_value,
    value_type,
)
from monitor.promql.nodes import Selector
from monitor.server.base import Base, NotFound
from monitor.server.errors import Failure
from monitor.server.parameters import FARTHEST, ParameterError, Range, duration, grid, label_name, moment
from monitor.storage import Matcher, Storage

POINTS = 11_000
"""Points in time of a range query, where nothing else is set."""
MATCHES = 32
"""Selectors of one request."""
VALUES = 250_000
"""Values of one answer: writing it out must not hold up the live stream for long."""
EVENTS = 1_000
"""Events of one answer, the newest."""
Events = Callable[[int, int], Sequence[Event]]
"""Those that touch a range of time (ms), by time."""
TYPES = {400: "bad_data", 404: "not_found", 500: "internal"}


class Question(Base):
    """A question to the storage; a kind of question says what its data is."""

    needs = Permission.VIEW
    takes_forms = True
    work: asyncio.Task[str] | None = None

    def initialize(self, archive: Archive, clock: Callable[[], float], events: Events) -> None:
        self.archive, self.clock, self.events = archive, clock, events
        # Looked up for each request, as they may change while the service runs.
        self.limits: Limits = self.settings["limits"]
        self.points: int = self.settings.get("points", POINTS)

    async def get(self, *_path: str) -> None:
        self.work = asyncio.create_task(self.data())
        try:
            data = await self.work
        except ParameterError as error:
            raise Failure(400, "bad_data", str(error)) from error
        except asyncio.CancelledError:
            return  # The client has gone away.
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(answers.success(data))

    def on_connection_close(self) -> None:
        """Who goes away gives up the place that the question had."""
        if self.work is not None:
            self.work.cancel()

    async def data(self) -> str:
        """The answer's data in JSON.  Raises ParameterError and Failure."""
        raise NotImplementedError

    async def answered(self, ends: tuple[int, int], seconds: float, work: Callable[[Storage], str]) -> str:
        """What work gives that looks at nothing but what lies between these times (ms).

        What fails has timed out where its time is up, else it cannot be done.
        """
        began = time.monotonic()
        try:
            if self.archive.has(*ends):
                return work(self.archive.near)
            return await self.archive.read(work, seconds)
        except AwayError as error:
            raise Failure(503, "unavailable", error.message, {"Retry-After": "5"}) from error
        except QueryError as error:
            late = time.monotonic() - began >= seconds
            status, code = (503, "timeout") if late else (422, "execution")
            raise Failure(status, code, error.message) from error

    def error_body(self, failure: Failure) -> dict[str, object]:
        kind = TYPES.get(failure.status_code, failure.code)
        return {"status": "error", "errorType": kind, "error": failure.message}

    def wanted(self, name: str) -> str:
        """A parameter that has to be there."""
        if not (text := self.get_argument(name, "", strip=False)):
            raise ParameterError(f'parameter "{name}" is missing')
        return text

    def time_of(self, name: str, default: int) -> int:
        text = self.get_argument(name, "")
        return moment(name, text) if text else default

    def query(self) -> Query:
        return read("query", self.wanted("query"))

    def bounds(self) -> Limits:
        """The service's limits; a client may ask for a shorter time."""
        text = self.get_argument("timeout", "")
        seconds = duration("timeout", text) / 1000 if text else self.limits.seconds
        return replace(self.limits, seconds=min(seconds, self.limits.seconds))

    async def matching(self, listed: Callable[[Collection[Labels]], str]) -> str:
        """What is made of the label sets of the series that any `match[]` selects, of all if there is none.

        Who does not say since when is told of all that is kept.
        """
        texts = self.get_arguments("match[]", strip=False)
        if len(texts) > MATCHES:
            raise ParameterError(f'parameter "match[]" is given {len(texts)} times; {MATCHES} is the most')
        start, end = self.time_of("start", -FARTHEST), self.time_of("end", FARTHEST)
        selectors = [selector(text) for text in texts] or [()]
        seconds = self.limits.seconds
        return await self.answered(
            (start, end),
            seconds,
            lambda storage: listed(series_of(storage, selectors, (start, end), seconds)),
        )


class Form(Question):
    """A question that may come as a form, too: it may be longer than an address."""

    async def post(self, *_path: str) -> None:
        await self.get()


def series_of(
    storage: Storage, selectors: Sequence[tuple[Matcher, ...]], between: tuple[int, int], seconds: float
) -> Collection[Labels]:
    """Label sets of the series that any selector selects.  Raises QueryError where it takes longer."""
    found: dict[Labels, None] = {}
    deadline = time.monotonic() + seconds
    for matchers in selectors:
        if time.monotonic() >= deadline:
            raise QueryError(f"the selectors took longer than {seconds:g} s")
        found.update(dict.fromkeys(storage.series(matchers, *between)))
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


def check_size(values: int) -> None:
    if values > VALUES:
        raise QueryError(
            f"{values:,} values are more than {VALUES:,}; make step longer or select fewer series"
        )


class InstantQuery(Form):
    """The value of an expression at one time."""

    async def data(self) -> str:
        query, at = self.query(), self.time_of("time", round(self.clock() * 1000))
        bounds = self.bounds()
        return await self.answered(
            depth_of([query]).ends(at, at), bounds.seconds, lambda storage: value(query, storage, at, bounds)
        )


def value(query: Query, storage: Storage, at: int, bounds: Limits) -> str:
    match value_type(query):
        case "string":
            return answers.string(at, text_value(query))
        case "matrix":
            found = select_samples(query, storage, at, bounds)
            check_size(sum(len(one.values) for one in found))
            return answers.samples(found)
        case "scalar":
            return answers.scalar(evaluate(query, storage, at, at, 1, bounds))
        case "vector":
            return answers.vector(evaluate(query, storage, at, at, 1, bounds))


class RangeQuery(Form):
    """The values of an expression over a grid of times."""

    async def data(self) -> str:
        query, bounds = self.query(), self.bounds()
        asked = grid(self.wanted("start"), self.wanted("end"), self.wanted("step"), self.points)
        kind = value_type(query)
        if kind not in ("scalar", "vector"):
            raise ParameterError(f'invalid parameter "query": a range query cannot give a {kind}')
        return await self.answered(
            depth_of([query]).ends(asked.start, asked.end),
            bounds.seconds,
            lambda storage: over(query, storage, asked, bounds),
        )


def over(query: Query, storage: Storage, asked: Range, bounds: Limits) -> str:
    columns = evaluate(query, storage, *asked, bounds)
    check_size(columns.values.size)
    return answers.matrix(columns)


class SeriesList(Form):
    """The label sets of series."""

    async def data(self) -> str:
        self.wanted("match[]")
        most = self.limits.series

        def listed(found: Collection[Labels]) -> str:
            if len(found) > most:
                raise QueryError(f"more than {most:,} series; select fewer")
            return answers.listed(map(dict, sorted(found)))

        return await self.matching(listed)


class LabelNames(Form):
    async def data(self) -> str:
        return await self.matching(
            lambda found: answers.listed(sorted({name for labels in found for name, _ in labels}))
        )


class LabelValues(Question):
    async def data(self) -> str:
        wanted = label_name(self.path_args[0])
        return await self.matching(
            lambda found: answers.listed(
                sorted({value for labels in found for name, value in labels if name == wanted})
            )
        )


class Metadata(Question):
    """Type, help and unit by metric name, of all that is kept."""

    async def data(self) -> str:
        only, newest = self.get_argument("metric", ""), self.archive.near.metadata()

        def listed(storage: Storage) -> str:
            found = sorted({**storage.metadata(), **newest}.items())
            return answers.metadata(metric for name, metric in found if only in ("", name))

        return await self.answered((-FARTHEST, FARTHEST), self.limits.seconds, listed)


class Happened(Question):
    """What happened to history and to what it watches, in a range of time: Prometheus has nothing like it."""

    async def data(self) -> str:
        start, end = self.time_of("start", -FARTHEST), self.time_of("end", FARTHEST)
        return answers.events(self.events(start, end)[-EVENTS:])


class Unknown(Question, NotFound):
    """What this part of the API does not have."""


ROUTES = (
    (r"/api/v1/query", InstantQuery),
    (r"/api/v1/query_range", RangeQuery),
    (r"/api/v1/series", SeriesList),
    (r"/api/v1/labels", LabelNames),
    (r"/api/v1/label/([^/]*)/values", LabelValues),
    (r"/api/v1/metadata", Metadata),
    (r"/api/v1/events", Happened),
    (r"/api/v1/.*", Unknown),
)
