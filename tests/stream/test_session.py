"""What one browser is sent, for what it asks, takes and acknowledges."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.formats import live
from monitor.stream.beat import Beat
from monitor.stream.frames import Frame
from monitor.stream.limits import SessionLimits
from monitor.stream.session import Closing, Session
from tests.stream.house import START, House, read, subscribe

BEAT = Beat(Frame(live.beat(1)), 1)


def ask(session: Session, text: str, now: float = 0.0) -> dict[str, Any]:
    session.receive(text)
    (answer,) = read(session.outgoing(now, drained=True))
    return answer


def tick(house: House, session: Session, second: int, *, drained: bool = True) -> list[dict[str, Any]]:
    house.tick(second)
    return read(session.tick(float(second), drained, BEAT._replace(step=second)))


def ack(feed: int, second: int) -> str:
    return json.dumps({"type": "ack", "feed": feed, "n": START + second, "lag": 20})


def test_the_answer_to_subscribe_brings_the_past(house: House) -> None:
    answer = ask(house.session(), subscribe(request=7, range=3000))
    assert answer["type"] == "subscribed"
    assert (answer["request"], answer["n"], answer["step"]) == (7, START + 10, 1000)
    assert [entry["query"] for entry in answer["series"]] == [0]
    assert answer["series"][0]["labels"]["instance"] == "here"
    assert answer["columns"]["t"] == [(START + second) * 1000 for second in (8, 9, 10)]
    assert answer["columns"]["v"] == [[8, 9, 10]]
    assert answer["complete"] is True


def test_a_past_that_is_not_held_is_told(house: House) -> None:
    answer = ask(house.session(), subscribe(range=60_000))
    assert answer["complete"] is False
    assert answer["oldest"] == answer["columns"]["t"][0] == (START + 1) * 1000


def test_who_comes_before_the_first_scrape_misses_nothing() -> None:
    house = House()
    session = house.session()
    answer = ask(session, subscribe(range=60_000))
    assert (answer["columns"]["t"], answer["complete"], answer["oldest"]) == ([], False, None)
    house.feeds.advance(house.store(0))
    (tick,) = [m for m in read(session.tick(0.0, drained=True, beat=BEAT)) if m["type"] == "tick"]
    assert (tick["n"], tick["v"]) == (START, [0])


def test_after_resumes_with_exactly_what_is_missing(house: House) -> None:
    answer = ask(house.session(), subscribe(after=(START + 8) * 1000))
    assert answer["columns"]["v"] == [[9, 10]]
    assert answer["complete"] is True


def test_after_now_brings_nothing_and_goes_on(house: House) -> None:
    session = house.session()
    assert ask(session, subscribe(after=(START + 10) * 1000))["columns"] == {"t": [], "v": [[]]}
    assert [message["v"] for message in tick(house, session, 11)] == [[11]]


def test_every_step_brings_one_column(house: House) -> None:
    session = house.session()
    feed = ask(session, subscribe())["feed"]
    assert tick(house, session, 11) == [
        {"type": "tick", "feed": feed, "n": START + 11, "t": (START + 11) * 1000, "v": [11]}
    ]


def test_a_new_series_is_announced_before_its_first_value(house: House) -> None:
    session = house.session()
    ask(session, subscribe(queries=["bytes"]))
    house.devices = ("a", "b")
    series, values = tick(house, session, 11)
    assert (series["type"], [entry["labels"]["device"] for entry in series["series"]]) == (
        "series",
        ["a", "b"],
    )
    assert values["v"] == [1, 2]


def test_a_series_that_vanishes_is_null(house: House) -> None:
    house.devices = ("a", "b")
    house.tick(11)
    session = house.session()
    ask(session, subscribe(queries=["bytes"]))
    house.devices = ("a",)
    assert tick(house, session, 12)[-1]["v"] == [1, None]


def test_a_series_gone_for_long_leaves_the_feed(house: House) -> None:
    house.devices = ("a", "b")
    house.tick(11)
    session = house.session()
    feed = ask(session, subscribe(queries=["bytes"]))["feed"]
    house.devices = ("a",)
    for second in range(12, 12 + 300):
        messages = tick(house, session, second)
        session.receive(ack(feed, second))
    assert messages[0]["type"] == "series"
    assert [entry["labels"]["device"] for entry in messages[0]["series"]] == ["a"]
    assert messages[1]["v"] == [1]


def test_a_board_is_all_its_queries(house: House) -> None:
    answer = ask(house.session(), subscribe(board="small"))
    assert [entry["query"] for entry in answer["series"]] == [0, 1]


def test_variables_are_put_into_the_queries(house: House) -> None:
    asked = subscribe(queries=['bytes{device="$device"}'], variables={"device": 'a"}'}, range=1000)
    assert ask(house.session(), asked)["columns"]["v"] == []
    asked = subscribe(queries=['bytes{device="${device}"}'], variables={"device": "a"}, range=1000)
    assert ask(house.session(), asked)["columns"]["v"] == [[1]]


def test_the_rate_interval_is_five_steps(house: House) -> None:
    answer = ask(house.session(), subscribe(queries=["count_over_time(load[$__rate_interval])"], range=1000))
    assert answer["columns"]["v"] == [[5]]


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (subscribe(queries=["rat(load[5s])"]), "bad_query", "rat"),
        (subscribe(queries=["load", "load +"]), "bad_query", ""),
        (subscribe(queries=["$what"]), "bad_query", "variable $what has no value"),
        (subscribe(board="nosuch"), "unknown_board", "'nosuch'; there are: small"),
        (subscribe(step=1500), "bad_message", "step: expected a multiple of 1000 ms, found 1500"),
        (subscribe(range=10**9), "too_large", "range: at most 900000 ms"),
        (subscribe(queries=["load"] * 300), "too_many", "and 256 queries at once"),
        ('{"type": "unsubscribe", "feed": 99}', "unknown_feed", "not subscribed to feed 99"),
        ("nonsense", "bad_message", "not JSON"),
    ],
)
def test_a_request_that_cannot_be_granted_is_an_error(house: House, asked: str, code: str, said: str) -> None:
    session = house.session()
    answer = ask(session, asked)
    assert (answer["type"], answer["code"]) == ("error", code)
    assert said in answer["message"]
    assert session.closing is None
    assert not session.subscriptions
    assert not len(house.feeds)


def test_a_bad_query_is_told_by_place(house: House) -> None:
    answer = ask(house.session(), subscribe(queries=["load", "sum(rat(load[5s]))"]))
    assert (answer["query"], answer["position"]) == (1, 4)


def test_subscriptions_are_bounded(house: House) -> None:
    house.limits = SessionLimits(subscriptions=1)
    session = house.session()
    ask(session, subscribe(queries=["load"]))
    assert ask(session, subscribe(queries=["bytes"]))["code"] == "too_many"
    assert len(house.feeds) == 1


def test_asking_again_for_the_same_feed_counts_once(house: House) -> None:
    session = house.session()
    first, second = ask(session, subscribe(1)), ask(session, subscribe(2))
    assert first["feed"] == second["feed"]
    session.receive(json.dumps({"type": "unsubscribe", "feed": first["feed"]}))
    assert session.outgoing(0.0, drained=True) == []
    assert len(house.feeds) == 0


def test_the_end_lets_go_of_every_feed(house: House) -> None:
    session = house.session()
    ask(session, subscribe(queries=["load"]))
    ask(session, subscribe(queries=["bytes"]))
    session.end()
    assert len(house.feeds) == 0


def test_silence_never_lasts_a_step(house: House) -> None:
    session = house.session()
    assert tick(house, session, 11) == [{"type": "beat", "time": 1}]


def test_a_beat_tells_the_time_once_a_minute_while_ticks_flow(house: House) -> None:
    session = house.session()
    feed = ask(session, subscribe(range=1000))["feed"]
    beats = []
    for second in range(11, 200):
        beats += [second for message in tick(house, session, second) if message["type"] == "beat"]
        session.receive(ack(feed, second))
    assert beats == [60, 120, 180]


def test_a_hidden_page_gets_beats_only_and_catches_up(house: House) -> None:
    session = house.session()
    ask(session, subscribe())
    session.receive('{"type": "visible", "visible": false}')
    assert [message["type"] for message in tick(house, session, 11) + tick(house, session, 12)] == [
        "beat"
    ] * 2
    session.receive('{"type": "visible", "visible": true}')
    (caught_up,) = read(session.outgoing(13.0, drained=True))
    assert (caught_up["type"], caught_up["n"], caught_up["columns"]["v"]) == (
        "columns",
        START + 12,
        [[11, 12]],
    )
    assert session.skipped == 0


def test_a_client_that_does_not_drain_is_skipped_then_told_and_caught_up(house: House) -> None:
    session = house.session()
    feed = ask(session, subscribe())["feed"]
    for second in (11, 12, 13):
        assert tick(house, session, second, drained=False) == []
    notice, columns = tick(house, session, 14)
    assert (notice["code"], notice["details"]) == ("slowed", {"skipped": 3})
    assert columns["columns"]["v"] == [[11, 12, 13, 14]]
    for second in range(15, 24):
        session.receive(ack(feed, second))
        assert [message["type"] for message in tick(house, session, second)] == ["tick"]
    session.receive(ack(feed, 24))
    messages = tick(house, session, 24) + tick(house, session, 25)
    assert [message["code"] for message in messages if message["type"] == "notice"] == ["resumed"]


def test_without_acknowledgements_the_credit_runs_out_and_the_client_is_parked(house: House) -> None:
    session = house.session()
    feed = ask(session, subscribe(range=1000))["feed"]
    kinds = [[m["type"] for m in tick(house, session, second)] for second in range(11, 30)]
    assert kinds == [["tick"]] * 11 + [["beat"]] * 8
    for second in range(30, 60):
        tick(house, session, second)
    was_parked = session.parked
    session.receive(ack(feed, 21))
    assert (was_parked, session.parked) == (True, False)
    (columns,) = [m for m in read(session.outgoing(60.0, drained=True)) if m["type"] == "columns"]
    assert columns["columns"]["v"] == [list(range(22, 60))]


def test_a_parked_client_gets_few_beats(house: House) -> None:
    session = house.session()
    ask(session, subscribe(range=1000))
    for second in range(11, 60):
        tick(house, session, second)
    beats = sum(len(tick(house, session, second)) for second in range(60, 160))
    assert beats == 10


def test_two_bad_messages_in_a_row_end_the_session(house: House) -> None:
    session = house.session()
    session.receive("nonsense")
    session.receive(subscribe())
    session.receive("nonsense")
    before = session.closing
    session.receive("{}")
    assert before is None
    assert session.closing == (4000, "not a message of monitor.v1")


def test_requests_wait_while_the_client_does_not_read_and_too_many_end_it(house: House) -> None:
    session = house.session()
    for request in range(session.limits.inbox):
        session.receive(subscribe(request))
        assert session.outgoing(0.0, drained=False) == []
    before = session.closing
    session.receive(subscribe(0))
    assert (before, session.closing) == (None, Closing(1008, "too many requests at once"))


def test_requests_are_bounded_in_each_step(house: House) -> None:
    session = house.session()
    for request in range(40):
        session.receive(subscribe(request, range=1000))
    assert len(session.outgoing(0.0, drained=True)) == 32
    assert session.outgoing(0.0, drained=True) == []
    assert len([m for m in tick(house, session, 11) if m["type"] == "subscribed"]) == 8


def test_a_gap_in_the_ticks_comes_as_columns_with_the_gap_as_gap(house: House) -> None:
    session = house.session()
    ask(session, subscribe(queries=["bytes"]))
    house.feeds.advance(house.store(14))
    messages = read(session.tick(14.0, drained=True, beat=BEAT))
    assert [message["type"] for message in messages] == ["columns"]
    assert len(messages[0]["columns"]["t"]) == 4


@settings(max_examples=200)
@given(
    st.lists(
        st.text() | st.sampled_from([subscribe(), subscribe(board="small"), "{}", ack(1, 3)]), max_size=8
    )
)
def test_any_messages_leave_no_feed_behind(texts: list[str]) -> None:
    house = House()
    house.tick(3)
    session = house.session()
    for text in texts:
        session.receive(text)
        session.outgoing(0.0, drained=True)
    session.end()
    assert len(house.feeds) == 0
