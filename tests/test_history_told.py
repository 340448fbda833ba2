"""Whoever watches is told that history is paused, and that it is not any more."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.reloaded import Client, running


@pytest.mark.gen_test(timeout=60)
async def test_a_full_disk_is_told_to_all_and_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path) as run:
        store = run.service.kept.store
        assert store is not None
        early = await Client.come(run)
        assert early.welcome["server"]["history"] == ""
        with monkeypatch.context() as full:

            def refuse(*_: object) -> int:
                raise OSError(28, "No space left on device")

            full.setattr(os, "pwrite", refuse)
            told = await early.heard("notice", code="history")
            assert told["message"] == "History is paused: disk full."
            assert told["details"] == {"paused": "disk full"}
            late = await Client.come(run)
            assert late.welcome["server"]["history"] == "disk full"
            assert "\nmonitor_history_paused 1\n" in (await run.answer("metrics")).body.decode()
            # A reload changes nothing about it, and the stream goes on.
            await run.take(server__websocket__ack_after="1s")
            last = await Client.come(run)
            assert last.welcome["server"]["history"] == "disk full"
            assert (await late.ask(queries=["up"]))["type"] == "subscribed"
            await late.heard("tick")
        while store.writer.trouble:
            store.writer.sync()
            await asyncio.sleep(0.01)
        for client in (early, late, last):
            assert (await client.heard("notice", code="history"))["details"] == {"paused": ""}
            await client.go()
        events = await run.get("api/v1/events")
        assert [(event["kind"], event["text"]) for event in events["data"]] == [
            ("paused", "history was paused: disk full")
        ]
    caplog.clear()
