"""Answers of the kernel over netlink, made here and asked of the real one."""

import asyncio
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import Host
from monitor.collect.links import ROUTE, links
from monitor.collect.netlink import attributes, dump, messages
from monitor.collect.network_route import HEAD, MOST, NetworkRoute, routes
from tests.collect.samples import HERE, numbers, text


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def route(bits: int, *parts: bytes, kind: int = 1) -> bytes:
    return HEAD.pack(2, bits, 0, 0, 254, 4, 0, kind, 0) + b"".join(parts)


def test_this_machine_names_its_devices() -> None:
    found = asyncio.run(links(dump))
    assert "lo" in found.values()


def test_a_question_that_the_kernel_refuses_is_an_error() -> None:
    async def asked() -> None:
        async for _ in dump(ROUTE, 9999, b""):
            pass

    with pytest.raises(OSError, match="netlink"):
        asyncio.run(asked())


def test_a_route_with_several_ways_is_told_by_each_of_them() -> None:
    hops = b""
    for device, weight, last in ((1, 2, 1), (2, 1, 2)):
        gateway = attribute(5, bytes([10, 0, 0, last]))
        hops += struct.pack("=HBBi", 8 + len(gateway), 0, weight - 1, device) + gateway
    message = route(
        16, attribute(1, bytes([10, 9, 0, 0])), attribute(6, struct.pack("=I", 7)), attribute(9, hops)
    )
    found = list(routes(message, {1: "eth0", 2: "eth1"}))
    assert [(each["device"], each["gw"], each["weight"]) for each in found] == [
        ("eth0", "10.0.0.1", "2"),
        ("eth1", "10.0.0.2", "1"),
    ]
    assert {(each["dest"], each["priority"], each["proto"]) for each in found} == {
        ("10.9.0.0/16", "7", "static")
    }


def test_a_route_that_leads_nowhere_is_not_told() -> None:
    assert not list(routes(route(0, kind=7), {}))


def test_of_very_many_routes_the_first_are_told_and_all_are_counted() -> None:
    async def answer(_protocol: int, kind: int, _question: bytes):  # type: ignore[no-untyped-def]
        if kind == 26:
            for number in range(MOST + 5):
                yield route(32, attribute(1, struct.pack(">I", number)), attribute(4, struct.pack("=I", 1)))

    found = numbers(asyncio.run(NetworkRoute(ask=answer).refresh(Host())))
    infos = [series for series in found if series.name == "node_network_route_info"]
    assert len(infos) == MOST
    assert {text(series): value for series, value in found.items() if series not in infos} == {
        'node_network_routes{device=""}': MOST + 5
    }


def test_a_cut_off_answer_is_refused() -> None:
    whole = (HERE / "netlink" / "0-18-0.bin").read_bytes()
    assert len(list(messages(whole))) > 1
    with pytest.raises(ValueError, match="netlink"):
        list(messages(whole[:-4]))


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        assert all(content in data for _, content in messages(data))
    with suppress(ValueError):
        assert all(value in data for value in attributes(data).values())
