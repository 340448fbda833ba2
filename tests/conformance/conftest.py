"""The echo in this process."""

import pytest
from tornado.web import Application

from tests.conformance.echo import Living, make_echo


@pytest.fixture
def living() -> Living:
    return Living()


@pytest.fixture
def app(living: Living) -> Application:
    return make_echo(living=living)
