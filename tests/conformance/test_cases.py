"""Every clause, on real sockets, without and with compression as the service negotiates it."""

import pytest
from tornado.httpserver import HTTPServer

from tests.conformance.cases import CASES, Case
from tests.conformance.echo import Living
from tests.conformance.peer import played

RUNS = [(case, deflate) for case in CASES for deflate in (False, True) if case.deflate in (None, deflate)]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("case", "deflate"), RUNS, ids=[f"{case}{', deflate' * deflate}" for case, deflate in RUNS]
)
async def test_clause(
    http_server: HTTPServer, http_port: int, living: Living, case: Case, deflate: bool
) -> None:
    assert await played(http_port, case, deflate) == case.expected
    await living.none.wait()
    assert living.opened == 1
