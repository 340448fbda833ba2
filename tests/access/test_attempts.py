"""Guessing: five tries a minute, then ever longer pauses, whatever else is tried meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.access.attempts import LONGEST, REMEMBERED, Attempts, network


def test_five_wrong_tries_bring_a_pause_of_a_minute() -> None:
    attempts = Attempts()
    for second in range(4):
        attempts.wrong(second, "10.0.0.7")
        assert attempts.pause(second, "10.0.0.7") == 0
    attempts.wrong(4, "10.0.0.7")
    assert attempts.pause(4, "10.0.0.7") == 60
    assert attempts.pause(63, "10.0.0.7") == 1
    assert attempts.pause(64, "10.0.0.7") == 0
    assert attempts.pause(4, "10.0.0.8") == 0


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    attempts, now, pauses = Attempts(), 0.0, []
    for _ in range(11):
        attempts.wrong(now, "alice")
        pause = attempts.pause(now, "alice")
        pauses.append(pause)
        now += pause
    assert pauses[4:] == [60, 120, 240, 480, 900, 900, 900]


def test_four_tries_a_minute_are_forgotten() -> None:
    attempts = Attempts()
    for minute in range(20):
        for second in range(4):
            attempts.wrong(minute * 70 + second, "alice")
            assert attempts.pause(minute * 70 + second, "alice") == 0


def test_a_pause_is_forgotten_after_as_long_as_the_longest() -> None:
    attempts = Attempts()
    for _ in range(5):
        attempts.wrong(0, "alice")
    attempts.wrong(60 + LONGEST + 1, "alice")
    assert attempts.pause(60 + LONGEST + 1, "alice") == 0


def test_whoever_was_right_starts_anew() -> None:
    attempts = Attempts()
    for _ in range(4):
        attempts.wrong(0, "alice", "10.0.0.7")
    attempts.right("alice")
    attempts.wrong(0, "alice", "10.0.0.7")
    assert attempts.pause(0, "alice") == 0
    assert attempts.pause(0, "alice", "10.0.0.7") == 60


def test_strangers_fill_no_memory() -> None:
    attempts = Attempts()
    for number in range(REMEMBERED + 5):
        attempts.wrong(0, str(number))
    assert len(attempts._tries) == REMEMBERED


def test_one_customer_has_a_whole_network_of_version_6() -> None:
    assert network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("::ffff:10.0.0.7") == network("10.0.0.7") == "10.0.0.7"
    assert network("fe80::1%eth0") == "fe80::/64"
    assert network("@somewhere") == "@somewhere"


@given(st.lists(st.floats(0, 100_000), max_size=100).map(sorted))
def test_nobody_tries_more_than_five_times_in_a_minute(times: list[float]) -> None:
    attempts, made = Attempts(), []
    for now in times:
        if not attempts.pause(now, "alice"):
            attempts.wrong(now, "alice")
            made.append(now)
    assert not [first for first, sixth in zip(made, made[5:], strict=False) if sixth - first < 60]
