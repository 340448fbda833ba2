"""The past beyond memory, as one browser is sent it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.formats import relay
from monitor.promql import AwayError
from monitor.stream import recall
from monitor.stream.branch import Branch
from monitor.stream.feed import FeedError
from monitor.stream.limits import SessionLimits
from monitor.stream.mirror import Mirror, Mirrors
from monitor.stream.session import Session
from monitor.stream.source import Asked, Delivery, Followed, PastError, Stretch
from tests.stream.deep import DeepHouse
from tests.stream.house import START, read, subscribe
from tests.stream.test_session import BEAT


@pytest.fixture
def deep() -> DeepHouse:
    return DeepHouse(SessionLimits(range=10**9, credit=1000, credit_bytes=10**7))


def sent(session: Session) -> list[dict[str, Any]]:
    return read(session.outgoing(0.0, drained=True))


def times(message: dict[str, Any]) -> list[int]:
    return [t // 1000 - START for t in message["columns"]["t"]]


def ask(deep: DeepHouse, **fields: Any) -> Session:
    session = deep.session()
    session.receive(subscribe(**fields))
    return session


def test_a_past_beyond_memory_comes_when_it_has_been_read(deep: DeepHouse) -> None:
    session = ask(deep, range=390_000)
    assert sent(session) == []
    deep.settle()
    [answer] = sent(session)
    assert (answer["type"], answer["n"], answer["complete"]) == ("subscribed", START + 400, True)
    assert times(answer) == list(range(11, 401))
    assert answer["columns"]["v"] == [list(range(11, 401))]


def test_what_memory_has_comes_at_once(deep: DeepHouse) -> None:
    [answer] = sent(ask(deep, range=9000))
    assert times(answer) == list(range(392, 401))


def test_a_past_that_begins_before_history_is_told(deep: DeepHouse) -> None:
    session = ask(deep, range=1_000_000)
    sent(session)
    deep.settle()
    [answer] = sent(session)
    assert (answer["complete"], answer["oldest"]) == (False, (START + 1) * 1000)


def test_what_came_meanwhile_follows(deep: DeepHouse) -> None:
    session = ask(deep, range=100_000)
    assert sent(session) == []
    deep.tick(402)
    assert read(session.tick(2.0, True, BEAT)) == [{"type": "beat", "time": 1}]
    deep.settle()
    answer, rest = sent(session)
    assert (times(answer)[-1], times(rest)) == (400, [401, 402])
    deep.tick(403)
    assert [message["type"] for message in read(session.tick(3.0, True, BEAT))] == ["tick"]


def test_those_who_ask_for_the_same_share_one_reading(deep: DeepHouse) -> None:
    sessions = [ask(deep, range=100_000, request=number) for number in range(3)]
    assert [sent(session) for session in sessions] == [[], [], []]
    assert len(deep.archive.waiting) == 1
    deep.settle()
    answers = [message for session in sessions for message in sent(session)]
    assert [answer["request"] for answer in answers] == [0, 1, 2]
    late = ask(deep, range=100_000, request=9)
    [answer] = sent(late)
    assert (answer["request"], deep.archive.waiting) == (9, [])


def test_series_that_only_the_past_has_leave_with_it(deep: DeepHouse) -> None:
    deep.devices = ("a", "gone")
    deep.tick(401)
    deep.devices = ("a",)
    deep.tick(420)
    session = ask(deep, queries=["bytes"], range=60_000)
    sent(session)
    deep.settle()
    answer, series = sent(session)
    assert [len(message["series"]) for message in (answer, series)] == [2, 1]
    assert (series["type"], series["n"]) == ("series", START + 421)
    deep.tick(421)
    [tick] = read(session.tick(1.0, True, BEAT))
    assert tick["v"] == [1]


def test_a_query_that_looks_farther_back_than_memory_goes_on_when_it_is_worked_out(deep: DeepHouse) -> None:
    session = ask(deep, queries=["max_over_time(load[350s]) - min_over_time(load[350s])"], range=0)
    [answer] = sent(session)
    assert (answer["type"], answer["n"]) == ("subscribed", START + 400)
    for second in (401, 402):
        deep.tick(second)
        session.tick(1.0, True, BEAT)
        deep.settle()
        [message] = sent(session)
        assert (message["type"], message["n"], message["v"]) == ("tick", START + second, [349])


def test_one_column_is_worked_out_at_a_time(deep: DeepHouse) -> None:
    session = ask(deep, queries=["max_over_time(load[350s])"], range=0)
    sent(session)
    deep.tick(403)
    assert len(deep.archive.waiting) == 1
    deep.settle()
    deep.tick(404)
    deep.settle()
    session.tick(1.0, True, BEAT)
    deep.settle()
    assert [times(message) for message in sent(session) if message["type"] == "columns"] == [
        [401, 402, 403, 404]
    ]


@pytest.mark.parametrize("name", ["VALUES", "COLUMNS"])
def test_too_much_is_refused_and_the_subscription_ends(
    deep: DeepHouse, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(recall, name, 99)
    session = ask(deep, range=100_000, request=5)
    sent(session)
    deep.settle()
    [refused] = sent(session)
    assert (refused["type"], refused["request"], refused["code"]) == ("error", 5, "too_large")
    assert f"100 {name.lower()} are more than 99" in refused["message"]
    assert len(deep.feeds) == 0


def test_of_too_much_that_was_missed_the_newest_is_sent(
    deep: DeepHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = ask(deep, range=0)
    sent(session)
    session.receive(json.dumps({"type": "visible", "visible": False}))
    deep.tick(500)
    monkeypatch.setattr(recall, "VALUES", 50)
    session.receive(json.dumps({"type": "visible", "visible": True}))
    sent(session)
    deep.settle()
    [caught_up] = sent(session)
    assert (caught_up["complete"], caught_up["oldest"]) == (False, (START + 451) * 1000)
    assert times(caught_up) == list(range(451, 501))


def test_a_span_in_which_nothing_was_measured_is_not_sent(deep: DeepHouse) -> None:
    session = ask(deep, range=0)
    sent(session)
    for leap in (3_600, 3652 * 86_400):
        before = deep.second
        deep.second += leap - 1
        deep.tick(before + leap)
        session.tick(1.0, True, BEAT)
        deep.settle()
        [caught_up] = sent(session)
        assert times(caught_up) == [*range(before + 1, before + 300), before + 300, before + leap]
        assert caught_up["columns"]["v"] == [[before] * 299 + [None, before + leap]]
        assert (caught_up["complete"], caught_up["oldest"]) == (True, None)


def test_history_that_cannot_be_read_is_an_answer(deep: DeepHouse) -> None:
    deep.archive.fails = AwayError("history cannot be read at present: gone")
    session = ask(deep, range=100_000, request=5)
    sent(session)
    deep.settle()
    [refused] = sent(session)
    assert (refused["code"], refused["request"]) == ("unavailable", 5)
    assert len(deep.feeds) == 0


def test_what_was_missed_is_asked_for_again(deep: DeepHouse) -> None:
    session = ask(deep, range=0)
    sent(session)
    session.receive(json.dumps({"type": "visible", "visible": False}))
    deep.tick(450)
    session.receive(json.dumps({"type": "visible", "visible": True}))
    deep.archive.fails = AwayError("gone")
    sent(session)
    deep.settle()
    deep.archive.fails = None
    assert read(session.tick(1.0, True, BEAT)) == [{"type": "beat", "time": 1}]
    deep.settle()
    [caught_up] = sent(session)
    assert times(caught_up) == list(range(401, 451))


def test_a_query_that_fails_in_the_past_alone_is_told(deep: DeepHouse) -> None:
    deep.devices = ("a", "b")
    deep.tick(401)
    deep.devices = ("a",)
    deep.tick(420)
    session = ask(deep, queries=["load / on () bytes", "load"], range=60_000)
    sent(session)
    deep.settle()
    answer, notice = sent(session)
    assert {series["query"] for series in answer["series"]} == {0, 1}
    assert (notice["code"], notice["details"]) == ("query_failed", {"query": 0})


def test_who_has_left_is_sent_nothing(deep: DeepHouse) -> None:
    session = ask(deep, range=100_000)
    sent(session)
    session.end()
    deep.settle()
    assert len(deep.feeds) == 0


def test_a_part_of_the_past_is_told_and_nothing_follows(deep: DeepHouse) -> None:
    session = ask(deep, range=5000, until=(START + 100) * 1000, request=4)
    assert sent(session) == []
    deep.settle()
    [answer] = sent(session)
    assert (answer["type"], answer["request"], answer["n"]) == ("subscribed", 4, START + 100)
    assert times(answer) == [96, 97, 98, 99, 100]
    assert (session.subscriptions, len(deep.feeds)) == ({}, 0)


def test_a_part_of_the_past_that_memory_has_is_told_at_once(deep: DeepHouse) -> None:
    [answer] = sent(ask(deep, range=2000, until=(START + 399) * 1000 + 500))
    assert times(answer) == [398, 399]
    [future] = sent(ask(deep, range=2000, until=(START + 1000) * 1000))
    assert (times(future), future["n"]) == ([], START + 400)


def test_who_leaves_before_the_past_is_here_lets_go_of_it(deep: DeepHouse) -> None:
    session = ask(deep, range=5000, until=(START + 100) * 1000)
    sent(session)
    session.end()
    deep.settle()
    assert len(deep.feeds) == 0


def test_a_past_that_cannot_be_had_is_refused(deep: DeepHouse) -> None:
    deep.archive.fails = AwayError("gone")
    session = ask(deep, range=5000, until=(START + 100) * 1000)
    sent(session)
    deep.settle()
    [refused] = sent(session)
    assert (refused["code"], len(deep.feeds)) == ("unavailable", 0)


def test_a_worker_hears_of_the_past_like_everybody(deep: DeepHouse) -> None:
    heard: list[relay.Message] = []
    branch = Branch(deep.feeds, heard.append)
    branch.take(relay.Open(1, ["load"], (), 1000))
    opened = heard.pop()
    assert isinstance(opened, relay.Opened)
    branch.take(relay.Past(opened.feed, START + 90, 7, START + 92))
    branch.take(relay.Past(opened.feed, START + 90, 8))
    deep.settle()
    deep.archive.fails = AwayError("gone")
    branch.take(relay.Past(opened.feed, START + 80, 9))
    deep.settle()
    answers = [each for each in heard if isinstance(each, relay.Brought)]
    assert [(each.n, each.request, each.until, each.code) for each in answers] == [
        (START + 92, 7, START + 92, ""),
        (START + 400, 8, None, ""),
        (0, 9, None, "unavailable"),
    ]
    mirrors, got = Mirrors(1000, heard.append), list[Delivery | PastError | Followed | FeedError]()
    mirrors.ask(Asked(("load",), step=1000), got.append)
    mirrors.take(opened)
    mirror = got.pop()
    assert isinstance(mirror, Mirror)
    for answer in answers:
        mirrors.bring(mirror, Stretch(answer.after, answer.request, answer.until), got.append)
        mirrors.take(answer)
    assert [each.n for each in got if isinstance(each, Delivery)] == [START + 92, START + 400]
    assert [each.code for each in got if isinstance(each, PastError)] == ["unavailable"]
