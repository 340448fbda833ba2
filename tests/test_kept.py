"""What the service keeps of samples: history where it is wanted, and memory in any case."""

import asyncio
from pathlib import Path

import pytest

from monitor.app import Service
from monitor.config import load
from monitor.start import StartError


def service(folder: Path, **flags: str) -> Service:
    settings = {
        "server.listen": "127.0.0.1:0",
        "storage.path": str(folder),
        "collect.interval": "100ms",
        "access.anonymous": "viewer",
        "collect.collectors.process_groups.enabled": "false",
    }
    return Service(load(None, {}, settings | flags).settings)


async def ran(service: Service, until: int) -> None:
    """The service runs until it has measured so often."""
    measured = 0
    enough = asyncio.Event()

    def count(scrape: object) -> None:
        nonlocal measured
        measured += 1
        if measured >= until:
            enough.set()

    service.bus.subscribe(count)
    async with service.running():
        await enough.wait()


@pytest.mark.gen_test(timeout=30)
async def test_what_one_service_measured_the_next_one_has_in_memory(tmp_path: Path) -> None:
    first = service(tmp_path)
    await ran(first, 6)
    second = service(tmp_path)
    await ran(second, 1)
    assert first.head.oldest() is not None
    assert second.head.oldest() == first.head.oldest()


@pytest.mark.gen_test(timeout=30)
async def test_without_history_nothing_is_written(tmp_path: Path) -> None:
    await ran(service(tmp_path, **{"storage.history.enabled": "false"}), 2)
    assert not (tmp_path / "history").exists()


@pytest.mark.gen_test(timeout=30)
async def test_two_services_do_not_share_a_history(tmp_path: Path) -> None:
    async with service(tmp_path).running():
        with pytest.raises(StartError, match="in use by another process"):
            await ran(service(tmp_path), 1)
