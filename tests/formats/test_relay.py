"""Messages between processes arrive as they were sent, however the bytes are cut."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.relay import (
    Brought,
    Close,
    Counted,
    Decoder,
    Hello,
    Message,
    Open,
    Opened,
    Refused,
    Ticked,
    encode,
)

EVERY: list[Message] = [
    Hello({"step": 1000}),
    Open(1, ["load"], [["a", "b"]], 1000),  # type: ignore[list-item]
    Open(2, table="viewers"),
    Opened(1, 7, 12, 1000, 1),
    Refused(2, 0, "no ünicorn", None),
    Brought(7, 12, 3, None, (b"{}", b"")),
    Close(7, 2),
    Ticked(12_000, [[7, 12, 2, 1]], (b"\x00\xff", b"deflated")),
    Counted({"ticks": 1}, {"lost": 2}, {"lag_seconds": [0.5, 1]}, 3, 0, 0.25, 4096),
]


def test_every_message_comes_back_as_it_was() -> None:
    decoder = Decoder()
    for message in EVERY:
        (found,) = decoder.receive(encode(message))
        assert type(found) is type(message)
        assert plain(found) == plain(message)


@given(st.lists(st.integers(1, 400), min_size=1))
def test_bytes_may_come_in_any_pieces(cuts: list[int]) -> None:
    decoder, found = Decoder(), []
    data = b"".join(map(encode, EVERY))
    while data:
        size = cuts.pop() if cuts else len(data)
        found += list(decoder.receive(data[:size]))
        data = data[size:]
    assert [plain(message) for message in found] == [plain(message) for message in EVERY]


def plain(message: Message) -> object:
    return json.loads(json.dumps(message, default=repr)) if not hasattr(message, "parts") else tuple(message)
