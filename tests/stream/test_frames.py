"""The frame's bytes, read back by an independent parser and by zlib."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.stream.frames import WORTH_DEFLATING, Frame, Tail


def read(wire: bytes) -> tuple[int, bytes]:
    """First byte and payload of one unmasked frame (RFC 6455 section 5.2)."""
    length, start = wire[1], 2
    if length == 126:
        length, start = struct.unpack("!H", wire[2:4])[0], 4
        assert length >= 126
    elif length == 127:
        length, start = struct.unpack("!Q", wire[2:10])[0], 10
        assert length >= 1 << 16
    assert len(wire) == start + length
    return wire[0], wire[start:]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_lengths_take_their_shortest_form(size: int) -> None:
    assert read(Frame(b"x" * size).wire(deflate=False)) == (0x81, b"x" * size)


@given(st.binary(min_size=WORTH_DEFLATING, max_size=4000))
def test_a_deflated_frame_inflates_with_a_fresh_window(payload: bytes) -> None:
    first, deflated = read(Frame(payload).wire(deflate=True))
    assert first == 0xC1
    assert zlib.decompressobj(-15).decompress(deflated + b"\x00\x00\xff\xff") == payload


@given(st.binary(max_size=300), st.binary(min_size=WORTH_DEFLATING, max_size=4000))
def test_messages_with_one_tail_are_whole_in_both_forms(head: bytes, tail: bytes) -> None:
    frame = Tail(tail).after(head)
    first, deflated = read(frame.wire(deflate=True))
    assert first == 0xC1
    assert zlib.decompressobj(-15).decompress(deflated + b"\x00\x00\xff\xff") == head + tail
    assert read(frame.wire(deflate=False)) == (0x81, head + tail)
    assert len(frame) == len(head) + len(tail)


def test_a_short_message_goes_plain_to_everybody() -> None:
    frame = Frame(b"x" * (WORTH_DEFLATING - 1))
    assert frame.wire(deflate=True) is frame.wire(deflate=False)


def test_the_bytes_are_made_once() -> None:
    frame = Frame(b"x" * 1000)
    assert frame.wire(deflate=True) is frame.wire(deflate=True)
    assert frame.wire(deflate=False) is frame.wire(deflate=False)
    assert len(frame) == 1000
