"""The query API as clients made for Prometheus use it."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop
from tornado.web import Application

from monitor.formats import answers
from monitor.model import Block, Event, Kind, Layout, Metric, Scrape
from monitor.promql import Archive, Limits, archive, parse
from monitor.server import api
from monitor.server.api import position, read, selector
from monitor.server.errors import Failure
from monitor.server.parameters import ParameterError
from monitor.storage import Matcher, Selection
from monitor.storage.events import Events
from monitor.storage.head import Head
from tests.surroundings import PATIENCE

from .conftest import NOW, TARGET, Ask, filled_head

Answer = Callable[..., Awaitable[Any]]
SECOND = NOW // 1000
LOAD = {"__name__": "node_load1", "instance": "web-1", "job": "node"}
USER = {"__name__": "node_cpu_seconds_total", "cpu": "0", "instance": "web-1", "job": "node", "mode": "user"}


@pytest.fixture
def data(ask: Ask) -> Answer:
    """`await data(path, **parameters)`: the data of a successful answer; lists are given several times."""

    async def fetch(path: str, **parameters: Any) -> Any:
        answer = await ask(f"/api/v1/{path}?{urlencode(parameters, doseq=True)}")
        told = json.loads(answer.body)
        assert (answer.code, told["status"], set(told)) == (200, "success", {"status", "data"}), told
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return told["data"]

    return fetch


@pytest.fixture
def refusal(ask: Ask) -> Answer:
    """`await refusal(path, **parameters)`: status, type and message of an error."""

    async def fetch(path: str, **parameters: Any) -> tuple[int, str, str]:
        answer = await ask(f"/api/v1/{path}?{urlencode(parameters, doseq=True)}")
        told = json.loads(answer.body)
        assert (told["status"], set(told)) == ("error", {"status", "errorType", "error"})
        return answer.code, told["errorType"], told["error"]

    return fetch


class TestInstantQueries:
    @pytest.mark.gen_test
    async def test_a_vector(self, data: Answer) -> None:
        assert await data("query", query="node_load1", time=SECOND) == {
            "resultType": "vector",
            "result": [{"metric": LOAD, "value": [SECOND, "0.5"]}],
        }

    @pytest.mark.gen_test
    async def test_a_rate(self, data: Answer) -> None:
        told = await data("query", query='rate(node_cpu_seconds_total{mode="user"}[30s])', time=SECOND)
        ((_, value),) = [one["value"] for one in told["result"]]
        assert float(value) == pytest.approx(0.25)

    @pytest.mark.gen_test
    async def test_a_scalar_and_a_string(self, data: Answer) -> None:
        told = await data("query", query="time()", time=f"{SECOND}.250")
        assert told == {"resultType": "scalar", "result": [SECOND + 0.25, f"{SECOND}.25"]}
        assert await data("query", query='"a"', time=1) == {"resultType": "string", "result": [1, "a"]}
        assert await data("query", query="0/0", time=1) == {"resultType": "scalar", "result": [1, "NaN"]}

    @pytest.mark.gen_test
    async def test_raw_samples(self, data: Answer) -> None:
        told = await data("query", query="node_load1[3s]", time=SECOND)
        values = [[SECOND - ago, "0.5"] for ago in (2, 1, 0)]
        assert told == {"resultType": "matrix", "result": [{"metric": LOAD, "values": values}]}

    @pytest.mark.gen_test
    async def test_without_a_time_it_is_now(self, data: Answer) -> None:
        assert (await data("query", query="time()"))["result"] == [SECOND, str(SECOND)]

    @pytest.mark.gen_test
    async def test_a_form_asks_like_a_query(self, ask: Ask, data: Answer) -> None:
        form = urlencode({"query": "node_load1", "time": SECOND})
        answer = await ask("/api/v1/query", method="POST", body=form)
        assert json.loads(answer.body)["data"] == await data("query", query="node_load1", time=SECOND)

    @pytest.mark.gen_test
    async def test_times_are_unix_or_rfc_3339(self, data: Answer) -> None:
        for time in ("1764000000", "1764000000.000", "2025-11-24T16:00:00Z", "2025-11-24T17:00:00+01:00"):
            assert (await data("query", query="time()", time=time))["result"] == [SECOND, str(SECOND)]


class TestRangeQueries:
    @pytest.mark.gen_test
    async def test_a_matrix(self, data: Answer) -> None:
        span = {"start": SECOND - 1, "end": SECOND, "step": "500ms"}
        told = await data("query_range", query='node_cpu_seconds_total{mode="user"}', **span)
        values = [[SECOND - 1, "999.75"], [SECOND - 0.5, "999.75"], [SECOND, "1000"]]
        assert told == {"resultType": "matrix", "result": [{"metric": USER, "values": values}]}

    @pytest.mark.gen_test
    async def test_a_scalar_is_a_series_without_labels(self, data: Answer) -> None:
        told = await data("query_range", query="2", start=SECOND, end=SECOND, step=15)
        assert told == {"resultType": "matrix", "result": [{"metric": {}, "values": [[SECOND, "2"]]}]}

    @pytest.mark.gen_test
    async def test_where_nothing_was_there_is_no_point(self, data: Answer) -> None:
        span = {"start": SECOND - 61, "end": SECOND - 58, "step": 1}
        (series,) = (await data("query_range", query="node_load1", **span))["result"]
        assert [time for time, _ in series["values"]] == [SECOND - 59, SECOND - 58]

    @pytest.mark.gen_test
    async def test_a_form_asks_like_a_query(self, ask: Ask) -> None:
        body = urlencode({"query": "node_load1", "start": SECOND, "end": SECOND, "step": "15s"})
        answer = await ask("/api/v1/query_range", method="POST", body=body)
        assert (answer.code, json.loads(answer.body)["data"]["resultType"]) == (200, "matrix")


class TestLabels:
    @pytest.mark.gen_test
    async def test_series_of_any_selector(self, data: Answer) -> None:
        selectors = ["node_load1", '{mode=~"us.*"}', '{__name__="node_load1"}']
        assert await data("series", **{"match[]": selectors}) == [USER, LOAD]
        assert await data("series", **{"match[]": "nothing"}) == []

    @pytest.mark.gen_test
    async def test_series_of_another_time(self, data: Answer) -> None:
        assert await data("series", **{"match[]": "node_load1", "end": SECOND - 3600}) == []
        assert await data("series", **{"match[]": "node_load1", "start": SECOND}) == [LOAD]

    @pytest.mark.gen_test
    async def test_label_names(self, data: Answer) -> None:
        assert await data("labels") == ["__name__", "cpu", "instance", "job", "mode"]
        assert await data("labels", **{"match[]": "node_load1"}) == ["__name__", "instance", "job"]

    @pytest.mark.gen_test
    async def test_label_values(self, data: Answer) -> None:
        assert await data("label/mode/values") == ["idle", "user"]
        users = {"match[]": '{mode="user"}'}
        assert await data("label/__name__/values", **users) == ["node_cpu_seconds_total"]
        assert await data("label/nothing/values") == []

    @pytest.mark.gen_test
    async def test_metadata(self, data: Answer) -> None:
        load = {"node_load1": [{"type": "gauge", "help": "1m load average.", "unit": ""}]}
        assert await data("metadata", metric="node_load1") == load
        assert sorted(await data("metadata")) == ["node_cpu_seconds_total", "node_load1"]


class TestEvents:
    @pytest.fixture
    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        events = Events()
        for number in range(api.EVENTS + 1):
            events.add(Event(number, number, "clock", "set back"))
        events.add(Event(NOW, NOW + 2500, "gap", "<why> not"))
        return {**options, "happened": events.between}

    @pytest.mark.gen_test
    async def test_what_touches_a_range(self, data: Answer) -> None:
        gap = {"time": SECOND, "end": SECOND + 2.5, "kind": "gap", "text": "<why> not"}
        assert await data("events", start=SECOND + 2.5, end=SECOND + 9) == [gap]
        assert await data("events", start=SECOND + 2.501) == []
        assert await data("events", end=0.001) == [
            {"time": time, "end": time, "kind": "clock", "text": "set back"} for time in (0.0, 0.001)
        ]

    @pytest.mark.gen_test
    async def test_the_newest_are_given(self, data: Answer) -> None:
        told = await data("events")
        assert (len(told), told[-1]["kind"], told[0]["time"]) == (api.EVENTS, "gap", 0.002)


@pytest.mark.gen_test
async def test_nothing_happens_where_nothing_is_kept(data: Answer) -> None:
    assert await data("events") == []


class TestRefusals:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("path", "parameters", "message"),
        [
            ("query", {}, 'parameter "query" is missing'),
            ("query", {"query": "sum(rat(x))"}, '"query": 1:5: parse error: unknown function'),
            ("query", {"query": "1 +\n  rat(x)"}, '"query": 2:3: parse error: unknown function'),
            ("query", {"query": "1", "time": "never"}, "\"time\": 'never': expected Unix seconds"),
            ("query", {"query": "1", "timeout": "soon"}, "invalid parameter \"timeout\": 'soon'"),
            ("query_range", {"query": "1", "start": 1, "end": 2}, 'parameter "step" is missing'),
            ("query_range", {"query": "1", "start": 2, "end": 1, "step": 1}, "must not be before start"),
            ("query_range", {"query": "1", "start": 0, "end": 11_000, "step": 1}, "more than 11,000 points"),
            ("query_range", {"query": "x[1m]", "start": 1, "end": 1, "step": 1}, "cannot give a matrix"),
            ("query_range", {"query": "'x'", "start": 1, "end": 1, "step": 1}, "cannot give a string"),
            ("series", {}, 'parameter "match[]" is missing'),
            ("series", {"match[]": "sum(x)"}, "expected a series selector"),
            ("series", {"match[]": "x offset 5m"}, "expected a series selector"),
            ("series", {"match[]": "{"}, 'invalid parameter "match[]": 1:'),
            ("series", {"match[]": ["x"] * 33}, "32 is the most"),
            ("events", {"end": "x"}, 'invalid parameter "end"'),
            ("labels", {"start": "x"}, 'invalid parameter "start"'),
            ("label/a-b/values", {}, "invalid label name: 'a-b'"),
            ("label//values", {}, "invalid label name: ''"),
        ],
    )
    async def test_bad_data(self, refusal: Answer, path: str, parameters: Any, message: str) -> None:
        status, kind, told = await refusal(path, **parameters)
        assert (status, kind) == (400, "bad_data")
        assert message in told

    @pytest.mark.gen_test
    async def test_text_that_is_not_utf_8(self, ask: Ask) -> None:
        answer = await ask("/api/v1/query?query=%ff")
        assert (answer.code, json.loads(answer.body)["errorType"]) == (400, "bad_data")

    @pytest.mark.gen_test
    async def test_what_cannot_be_evaluated(self, refusal: Answer) -> None:
        vectors = "node_cpu_seconds_total + ignoring(mode) node_cpu_seconds_total"
        status, kind, _ = await refusal("query", query=vectors, time=SECOND)
        assert (status, kind) == (422, "execution")

    @pytest.mark.gen_test
    async def test_other_paths_and_methods(self, refusal: Answer, ask: Ask) -> None:
        assert await refusal("admin/tsdb/snapshot") == (404, "not_found", "There is nothing at this path.")
        answer = await ask("/api/v1/metadata", method="POST", body="")
        assert (answer.code, answer.headers["Allow"]) == (405, "GET")
        assert json.loads(answer.body)["errorType"] == "method_not_allowed"


class TestSmallLimits:
    @pytest.fixture
    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "limits": Limits(series=1), "points": 3}

    @pytest.mark.gen_test
    async def test_they_hold_for_every_query(self, refusal: Answer, data: Answer) -> None:
        status, kind, _ = await refusal("query", query="node_cpu_seconds_total", time=SECOND)
        assert (status, kind) == (422, "execution")
        assert (await data("query", query="node_load1", time=SECOND))["result"]
        assert (await refusal("series", **{"match[]": "node_cpu_seconds_total"}))[:2] == (422, "execution")
        assert await data("label/mode/values") == ["idle", "user"]
        assert "more than 3 points" in (await refusal("query_range", query="1", start=0, end=3, step=1))[2]


@pytest.mark.gen_test
async def test_an_answer_has_a_size(refusal: Answer, data: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "VALUES", 3)
    span = {"start": SECOND - 3, "step": 1}
    for query, more in (("query_range", span | {"end": SECOND}), ("query", {"time": SECOND})):
        text = "node_load1" if "end" in more else "node_load1[4s]"
        status, kind, message = await refusal(query, query=text, **more)
        assert (status, kind) == (422, "execution")
        assert message.startswith("4 values are more than 3")
    assert await data("query_range", query="node_load1", end=SECOND - 1, **span)


class TestNoTimeAtAll:
    @pytest.fixture
    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "limits": Limits(seconds=0)}

    @pytest.mark.gen_test
    async def test_what_takes_longer_has_timed_out(self, refusal: Answer) -> None:
        status, kind, _ = await refusal("query", query="node_load1 + 1", time=SECOND, timeout="1h")
        assert (status, kind) == (503, "timeout")
        assert (await refusal("series", **{"match[]": "node_load1"}))[:2] == (503, "timeout")


@pytest.mark.parametrize(
    ("text", "at", "place"), [("abc", 0, "1:1"), ("a\nbc", 2, "2:1"), ("a\n\nbc", 4, "3:2"), ("", 0, "1:1")]
)
def test_positions_are_lines_and_columns(text: str, at: int, place: str) -> None:
    assert position(text, at) == place


def test_a_selector_gives_its_matchers() -> None:
    assert set(selector('up{job=~"n.*"}')) == {Matcher("__name__", "=", "up"), Matcher("job", "=~", "n.*")}


PIECES = (
    *("node_load1", "node_cpu_seconds_total", "sum", "topk", "rate", "by", "offset", "time()", "on", "bool"),
    *("(", ")", "{", "}", "[", "]", "[5m]", "[1h:1m]", '"', "'", "=", "=~", "!=", "==", "+", "-", "/", "^"),
    *("@", "1", "e9", "0x", "nan", "inf", " ", "\n", ",", ":", "#", "$", "\\", "\x00", "\u00e9", "\u202e"),
)
WHOLE = ("node_load1", "rate(node_load1[1m])", "node_load1[1m]", '"text"', "1 / 0", "topk(1, node_load1)")
TIMES = ("0", "1764000000", "1763999990.5", "2025-11-24T16:00:00Z", "1e11", "1e999", "-5", "x", "")
STEPS = ("1", "15s", "0.001", "0", "-1", "1y", "1e11", "x", "")
HANDLERS = {
    "query": api.InstantQuery,
    "query_range": api.RangeQuery,
    "series": api.SeriesList,
    "labels": api.LabelNames,
    "label/job/values": api.LabelValues,
    "label/%00/values": api.LabelValues,
    "metadata": api.Metadata,
}


def some_query(chance: Random) -> str:
    pieces = chance.choices(PIECES, k=chance.randrange(8))
    return chance.choice(("".join(pieces), chance.choice(WHOLE)))


def some_request(chance: Random) -> tuple[str, str]:
    """A path of the query API and a query string."""
    offered = {
        "query": [some_query(chance)],
        "match[]": [some_query(chance) for _ in range(chance.randrange(3))],
        "time": [chance.choice(TIMES)],
        "start": [chance.choice(TIMES)],
        "end": [chance.choice(TIMES)],
        "step": [chance.choice(STEPS)],
        "timeout": [chance.choice(STEPS)],
        "metric": [chance.choice(WHOLE)],
    }
    taken = {name: values for name, values in offered.items() if chance.random() < 0.8}
    return chance.choice(list(HANDLERS)), urlencode(taken, doseq=True)


@settings(max_examples=20)
@given(st.integers())
def test_ten_thousand_requests_are_answered_or_refused(seed: int) -> None:
    """Twenty times five hundred, as handlers see them."""
    chance, outcomes = Random(seed), Counter[str]()
    app = Application(limits=Limits(), points=1000)
    headers = HTTPHeaders({"Host": "localhost"})
    wire: Any = SimpleNamespace(set_close_callback=id)
    held = Archive(filled_head())
    for path, query in (some_request(chance) for _ in range(500)):
        line = RequestStartLine("GET", f"/api/v1/{path}?{query}", "HTTP/1.1")
        request = HTTPServerRequest(start_line=line, headers=headers, connection=wire)
        handler = HANDLERS[path](app, request, archive=held, clock=lambda: SECOND, events=Events().between)
        handler.path_args = [path.split("/")[1]] if "/" in path else []
        try:
            outcomes[json.loads(answers.success(asyncio.run(handler.data())))["status"]] += 1
        except ParameterError:
            outcomes["bad_data"] += 1
        except Failure as failure:
            outcomes[failure.code] += 1
    # Some ask for an answer within milliseconds.
    assert set(outcomes) <= {"success", "bad_data", "execution", "timeout"}
    assert min(outcomes["success"], outcomes["bad_data"]) > 10


@given(st.text())
def test_any_text_is_a_query_or_a_bad_parameter(text: str) -> None:
    with suppress(ParameterError):
        assert read("query", text) == parse(text)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers())
def test_requests_over_the_wire_fare_no_worse(io_loop: IOLoop, ask: Ask, seed: int) -> None:
    chance = Random(seed)

    async def fetch(path: str, query: str) -> tuple[int, str]:
        form: dict[str, Any] = {"method": "POST", "body": query} if chance.random() < 0.5 else {}
        answer = await ask(f"/api/v1/{path}" + ("" if form else f"?{query}"), **form)
        return answer.code, json.loads(answer.body)["status"]

    for _ in range(30):
        path, query = some_request(chance)
        outcome = io_loop.run_sync(partial(fetch, path, query), timeout=PATIENCE)
        assert outcome in {(200, "success"), (400, "error"), (405, "error"), (422, "error")}


class Older(Head):
    """A store that blocks: what it is asked must not be asked on the event loop's thread."""

    def select(self, *asked: Any) -> list[Selection]:
        assert threading.current_thread() is not threading.main_thread()
        return super().select(*asked)


@pytest.fixture
def older(options: dict[str, Any]) -> Iterator[Older]:
    """The hour before the newest minute is in no memory."""
    far = Older(window=7_200_000)
    layout = Layout([Metric("node_load1", Kind.GAUGE, "").at()])
    for second in range(-3600, 1, 10):
        far.append(Scrape(NOW + second * 1000, TARGET, (Block(layout, (float(second),)),)))
    options["archive"] = Archive(options["storage"], far)
    yield far
    options["archive"].close()


@pytest.mark.gen_test
async def test_what_memory_does_not_have_is_read_by_a_thread(older: Older, data: Answer) -> None:
    [series] = (await data("query_range", query="node_load1", start=SECOND - 1800, end=SECOND, step=600))[
        "result"
    ]
    assert [value for _, value in series["values"]] == ["-1800", "-1200", "-600", "0"]
    [series] = (await data("query", query="max_over_time(node_load1[5m])", time=SECOND - 600))["result"]
    assert series["value"][1] == "-600"
    assert await data("label/job/values", start=SECOND - 1800, end=SECOND - 600) == ["node"]
    assert [
        one["__name__"] for one in await data("series", **{"match[]": "node_load1", "start": SECOND - 900})
    ]


@pytest.mark.gen_test
async def test_names_are_those_of_all_that_is_kept_where_no_start_is_given(
    older: Older, data: Answer
) -> None:
    gone = Layout([Metric("gone_total", Kind.COUNTER, "What was.").at(mode="gone")])
    older.append(Scrape((SECOND - 7000) * 1000, (("job", "old"),), (Block(gone, (1.0,)),)))
    assert await data("label/mode/values") == ["gone"]
    assert await data("label/job/values") == ["node", "old"]
    assert [each["__name__"] for each in await data("series", **{"match[]": "gone_total"})] == ["gone_total"]
    found = await data("metadata")
    assert found["gone_total"] == [{"type": "counter", "help": "What was.", "unit": ""}]
    # The newest may be in no file yet.
    assert "node_cpu_seconds_total" in found


@pytest.mark.gen_test
async def test_what_memory_has_is_not_asked_of_the_disk(older: Older, data: Answer) -> None:
    [series] = (await data("query", query="rate(node_cpu_seconds_total{mode='user'}[30s])"))["result"]
    assert series["value"][1] == "0.25"


@pytest.mark.gen_test
async def test_a_query_that_cannot_be_had_now_is_told_when_to_come_back(
    older: Older, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST", 0)
    answer = await ask(f"/api/v1/query?query=up&time={SECOND - 600}")
    assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(answer.body)["errorType"] == "unavailable"


@pytest.mark.gen_test
async def test_who_goes_away_takes_the_question_along(
    older: Older, options: dict[str, Any], http_server: object, base_url: str
) -> None:
    begun, leave = threading.Event(), threading.Event()

    def wait(*_: Any) -> list[Selection]:
        begun.set()
        leave.wait(10)
        return []

    older.select = wait  # type: ignore[method-assign]
    host, port = urlsplit(base_url).hostname, urlsplit(base_url).port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"GET /api/v1/query?query=up&time={SECOND - 600} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    )
    assert await asyncio.get_running_loop().run_in_executor(None, begun.wait, 10)
    writer.close()
    await writer.wait_closed()
    leave.set()
    assert await options["archive"].read(lambda _: "next", 5) == "next"
