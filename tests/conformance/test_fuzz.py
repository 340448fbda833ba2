"""Ten thousand clients that nobody invited; `python -m tests.conformance.fuzz 1000000` is the night's."""

import os

import pytest
from tornado.ioloop import IOLoop

from tests.conformance.fuzz import fuzz

CASES = int(os.environ.get("FUZZ_CASES", "10000"))


@pytest.mark.gen_test(timeout=3600)
async def test_no_client_leaves_anything_behind(io_loop: IOLoop) -> None:
    outcome = await fuzz(CASES, seed=1)
    assert outcome.clean, outcome
    assert outcome.opened > CASES / 2
    # The generator is worth its name: it met every end there is.
    assert {"closed 1000", "closed 1002", "closed 1007", "closed 1009", "400", "426"} <= outcome.met.keys()
