"""The kernel's messages: counted by priority, kills noted, and nothing waits for them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from monitor.collect import Host
from monitor.collect.kmsg import MOST, Kmsg, newest
from monitor.model import Event
from tests.collect.samples import collector, host, numbers
from tests.collect.test_loop import Run

OOM = (
    b"6,1,1,-;oom-kill:constraint=CONSTRAINT_NONE,"
    b"nodemask=(null),task_memcg=/a.service,task=web, 2,pid=7,uid=0\n"
)


class Kernel:
    """What the kernel says; a record for each read."""

    def __init__(self) -> None:
        self.here, self.there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.here.setblocking(False)
        self.source = Kmsg(lambda _: os.dup(self.here.fileno()))
        self.host = Host()
        self.number = 0

    def says(self, *levels: int, number: int | None = None) -> None:
        for level in levels:
            self.number = self.number + 1 if number is None else number
            self.there.send(f"{level},{self.number},99,-;text\n KEY=value\n".encode())

    def counts(self) -> dict[str, float]:
        found = numbers(self.source.collect(self.host))
        return {
            dict(series.labels).get("priority", "lost"): value for series, value in found.items() if value
        }


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.source.close()
    made.here.close()
    made.there.close()


def test_messages_are_counted_by_priority_and_those_of_others_are_not(kernel: Kernel) -> None:
    kernel.says(3, 3, 6, 11, 30)
    assert kernel.counts() == {"err": 2, "info": 1}
    kernel.says(0)
    assert kernel.counts() == {"emerg": 1, "err": 2, "info": 1}
    assert kernel.counts() == {"emerg": 1, "err": 2, "info": 1}


def test_messages_that_were_overwritten_are_counted_as_lost(kernel: Kernel) -> None:
    kernel.says(6, number=10)
    kernel.says(6, number=11)
    kernel.says(6, number=100)
    assert kernel.counts() == {"info": 3, "lost": 88}


def test_a_flood_is_read_over_several_passes(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.collect.kmsg.MOST", 4)
    kernel.says(*[6] * 6)
    assert kernel.counts() == {"info": 4}
    assert kernel.counts() == {"info": 6}
    assert MOST == 1000


def test_a_process_that_is_killed_for_memory_is_an_event_once(kernel: Kernel) -> None:
    kernel.there.send(OOM)
    kernel.host.fresh(1000.5)
    assert kernel.counts() == {"info": 1}
    text = "web, 2 (7) was killed: no memory left in /a.service"
    assert kernel.source.happened() == [Event(1_000_500, 1_000_500, "oom", text)]
    assert kernel.source.happened() == []


def test_a_text_that_is_no_record_is_an_error(kernel: Kernel) -> None:
    kernel.there.send(b"what is this\n")
    with pytest.raises(ValueError, match="a record expected, found b'what is this"):
        kernel.counts()


def test_what_happened_goes_the_way_of_events() -> None:
    told: list[Event] = []
    made = Run({"kmsg": collector("kmsg")}, host=host("rack"))
    made.loop._tell = told.append
    asyncio.run(made.until(2))
    assert [(event.kind, event.time) for event in told] == [("oom", made.scrapes[0].timestamp)]


def test_the_real_kernel_is_heard() -> None:
    def oldest(path: str) -> int:
        descriptor = newest(path)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    source = Kmsg(oldest)
    try:
        found = sum(numbers(source.collect(Host())).values())
    except FileNotFoundError as error:
        pytest.skip(f"the kernel's messages are not for us: {error}")
    finally:
        source.close()
    assert found > 0
