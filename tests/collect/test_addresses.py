"""IP addresses: as the kernel writes them, of very many the first, and those of this machine."""

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect.addresses import HEAD, MOST, Address, addresses
from monitor.collect.links import GETLINK


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


class Kernel:
    """Answers with the messages that it has; device 2 is eth0."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = messages

    async def ask(self, _protocol: int, kind: int, _question: bytes) -> AsyncIterator[bytes]:
        if kind == GETLINK:
            yield struct.pack("=BxHiII", 0, 1, 2, 0, 0) + attribute(3, b"eth0\0")
            return
        for message in self.messages:
            yield message


def found(*messages: bytes) -> list[Address]:
    return asyncio.run(addresses(Kernel(*messages).ask))


def test_both_families_are_told_with_their_networks_and_scopes() -> None:
    four = HEAD.pack(2, 24, 0, 0, 2) + attribute(1, bytes([192, 0, 2, 7])) + attribute(3, b"eth0\0")
    six = HEAD.pack(10, 64, 0, 253, 2) + attribute(1, bytes.fromhex("fe80" + 13 * "00" + "01"))
    assert found(four, six) == [
        Address("eth0", "192.0.2.7/24", "global"),
        Address("eth0", "fe80::1/64", "link"),
    ]


def test_of_a_line_to_another_machine_our_end_is_told() -> None:
    ends = attribute(1, bytes([10, 0, 0, 2])) + attribute(2, bytes([10, 0, 0, 1]))
    assert found(HEAD.pack(2, 32, 0, 0, 9) + ends) == [Address("9", "10.0.0.1/32", "global")]


def test_of_very_many_the_first_are_told() -> None:
    many = [HEAD.pack(2, 32, 0, 0, 2) + attribute(2, struct.pack(">I", each)) for each in range(MOST + 9)]
    assert len(found(*many)) == MOST


@given(st.binary(max_size=64))
def test_whatever_a_message_holds_it_is_an_address_or_an_error(content: bytes) -> None:
    message = HEAD.pack(2, 24, 0, 0, 2) + content
    try:
        told = found(message)
    except ValueError as error:
        assert "netlink" in str(error)  # noqa: PT017  (either is right)
    else:
        assert all(each.device == "eth0" and "/" in each.address for each in told)


def test_this_machine_has_the_address_of_its_loopback() -> None:
    try:
        told = asyncio.run(addresses())
    except OSError as error:
        pytest.skip(f"the kernel tells no addresses here: {error}")
    assert Address("lo", "127.0.0.1/8", "host") in told
