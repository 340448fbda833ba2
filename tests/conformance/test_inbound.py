"""Frames to messages without a socket: cut anywhere, judged at the first wrong byte, bounded."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.server.inbound import Inbound, Received, Violation
from tests.conformance.cases import CASES, Case
from tests.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    RSV1,
    TEXT,
    closing,
    deflated,
    frame,
    header,
    text,
)

LIMIT = 1 << 16


def received(pieces: Iterable[bytes], deflate: bool = True, limit: int = LIMIT) -> list[Received | int]:
    """Everything up to a close frame, or to the code of a violation."""
    inbound = Inbound(limit, deflate)
    whole: list[Received | int] = []
    try:
        for piece in pieces:
            for opcode, payload in inbound.receive(piece):
                whole.append((opcode, payload))
                if opcode == CLOSE:
                    return whole
    except Violation as violation:
        whole.append(violation.code)
    return whole


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = [*sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


SMALL = [case for case in CASES if len(case.sent) < 4096]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_bytes_one_by_one_say_what_they_say_at_once(case: Case) -> None:
    deflate = bool(case.deflate)
    singly = [case.sent[at : at + 1] for at in range(len(case.sent))]
    assert received(singly, deflate) == received([case.sent], deflate)


@given(st.sampled_from(CASES), st.lists(st.integers(0, 1 << 17)))
def test_where_bytes_are_cut_makes_no_difference(case: Case, places: list[int]) -> None:
    deflate = bool(case.deflate)
    assert received(cut(case.sent, places), deflate) == received([case.sent], deflate)


@given(st.text(), st.lists(st.integers(0, 100)), st.lists(st.integers(0, 1000)), st.booleans())
def test_what_was_fragmented_anywhere_comes_whole(
    message: str, fragments: list[int], places: list[int], compress: bool
) -> None:
    body = deflated(message.encode()) if compress else message.encode()
    first, *rest = cut(body, fragments)
    ping = frame(FIN | PING, b"between")
    frames = [frame((RSV1 if compress else 0) | TEXT, first), *(frame(CONTINUATION, part) for part in rest)]
    sent = ping.join([*frames, frame(FIN | CONTINUATION)])
    pings = [(PING, b"between")] * len(frames)
    assert received(cut(sent, places)) == [*pings, (TEXT, message)]


@given(st.binary(), st.lists(st.integers(0, 1000)))
def test_any_bytes_are_received_or_a_violation(data: bytes, places: list[int]) -> None:
    found = received(cut(data, places))
    violations = [each for each in found if isinstance(each, int)]
    assert violations in ([], found[-1:])
    assert set(violations) <= {1002, 1003, 1007, 1009}
    assert all(len(each[1]) <= LIMIT for each in found if not isinstance(each, int))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05", 1002),
        (b"\x83", None),
        (b"\x83\x80", 1002),
        (header(FIN | PING, 126)[:2], 1002),
        (header(FIN | TEXT, LIMIT + 1) + bytes(4), 1009),
        (frame(TEXT, b"\xf4\x90", size=4), 1007),
        (frame(RSV1 | BINARY, deflated(bytes(1 << 20))[:400], size=500), 1009),
    ],
)
def test_a_violation_is_found_at_its_first_byte(sent: bytes, code: int | None) -> None:
    assert received([sent]) == ([] if code is None else [code])


def test_a_control_frame_waits_for_its_payload() -> None:
    sent = frame(FIN | PING, b"whole")
    assert received([sent[:-1]]) == []
    assert received([sent[:-1], sent[-1:]]) == [(PING, b"whole")]


def test_nothing_is_read_after_a_close_frame() -> None:
    assert received([closing(1000) + b"\xff" * 100, text("late")]) == [(CLOSE, b"\x03\xe8")]


def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    bomb = deflated(bytes(8 << 20), 9)
    assert received([frame(FIN | RSV1 | BINARY, bomb)], limit=len(bomb)) == [1009]


def test_the_limit_counts_what_is_sent_and_what_it_becomes() -> None:
    sent = frame(FIN | RSV1 | BINARY, deflated(b"*" * 100))
    assert received([sent], limit=100) == [(BINARY, b"*" * 100)]
    assert received([sent], limit=99) == [1009]
    assert received([frame(FIN | BINARY, b"*" * 100)], limit=99) == [1009]


@pytest.mark.parametrize(("fragments", "ends"), [(1000, [(TEXT, "")]), (3000, [1009])])
def test_a_message_may_not_have_any_number_of_fragments(fragments: int, ends: list[Received | int]) -> None:
    sent = frame(TEXT) + frame(CONTINUATION) * fragments + frame(FIN | CONTINUATION)
    assert received([sent]) == ends
