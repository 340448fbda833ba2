import pytest

from monitor.stream.credit import Credit, Sent


def sent(n: int, size: int = 10, feed: int = 1, at: float = 0.0) -> Sent:
    return Sent(feed, n, size, at)


def test_credit_runs_out_by_messages() -> None:
    credit = Credit(messages=2, size=1000)
    credit.spend(sent(1))
    assert credit.left()
    credit.spend(sent(2))
    assert not credit.left()


def test_credit_runs_out_by_bytes_after_the_message_that_exceeds_them() -> None:
    credit = Credit(messages=10, size=100)
    credit.spend(sent(1, size=99))
    assert credit.left()
    credit.spend(sent(2, size=5000))
    assert not credit.left()


def test_an_acknowledgement_covers_everything_sent_before() -> None:
    credit = Credit(messages=10, size=1000)
    for message in (sent(5, feed=1), sent(8, feed=2), sent(6, feed=1), sent(9, feed=2, at=4.0)):
        credit.spend(message)
    credit.acknowledge(feed=1, n=6)
    assert credit.waiting_since() == 4.0


@pytest.mark.parametrize(("feed", "n"), [(1, 4), (3, 99)])
def test_an_acknowledgement_of_nothing_sent_gives_nothing(feed: int, n: int) -> None:
    credit = Credit(messages=1, size=1000)
    credit.spend(sent(5))
    credit.acknowledge(feed, n)
    assert not credit.left()


def test_acknowledged_bytes_come_back() -> None:
    credit = Credit(messages=10, size=100)
    credit.spend(sent(1, size=100))
    credit.acknowledge(1, 1)
    assert credit.left()
    assert credit.waiting_since() is None


def test_clearing_gives_all_of_it_back() -> None:
    credit = Credit(messages=1, size=1)
    credit.spend(sent(1))
    credit.clear()
    assert credit.left()
