"""The short form of `python -m tests.faults --only web`."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.faults import web
from tests.faults.flood import Came
from tests.faults.hostile import HIDDEN, KINDS, hostile
from tests.faults.web import Outcome, campaign, told


@pytest.mark.gen_test(timeout=60)
async def test_hostile_requests_harm_nobody_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "VIEWERS", 2)
    found = await campaign(tmp_path, requests=400, slow=12, seed=3, rate=0.0, unhurt=0.2, patience=1)
    assert found.statuses.total() == 400
    assert (found.failures, found.smuggled, found.harmed, found.lines) == ([], [], [], [])
    assert len(found.endured) == 12
    assert max(found.endured) <= 1 + web.SWEEP + 2
    assert not any(left > 0 for left in found.left.values())


def test_a_seed_gives_the_same_requests_again_and_all_kinds_come() -> None:
    drawn = [hostile(Random(seed)) for seed in range(300)]
    assert drawn == [hostile(Random(seed)) for seed in range(300)]
    assert {kind for kind, _ in drawn} == set(KINDS)
    assert len({sent for _, sent in drawn}) > 200


def test_an_answer_that_should_not_be_stands_out() -> None:
    came = Came()
    twice = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n"
    came.note("smuggling", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN, twice)
    came.note("bodies", b"", b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
    came.note("sizes", b"", b"")
    found = Outcome(came.statuses, came.failures, came.smuggled, endured=[11.5], beside_hostile=[0.05])
    found.alone = found.beside_slow = found.beside_right = [0.01]
    assert [row.what.partition(",")[0] for row in told(found) if not row.held] == [
        "answered with 5xx",
        "requests within a request that were answered",
        "unfinished requests",
        "p99 of a healthy request beside 500 hostile requests a second",
        "p99 of a healthy request the same",
    ]
