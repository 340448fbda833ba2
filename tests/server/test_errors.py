"""Every error is told in one shape, and tells nothing that was not meant for the asker."""

import pytest
from tornado.web import HTTPError

from monitor.server.errors import Failure, body, described


def test_what_a_handler_says_is_told_as_it_is() -> None:
    failure = Failure(503, "not_ready", "No scrape is stored yet.", {"Retry-After": "1"})
    assert described(503, failure) is failure
    assert body(failure) == {"error": {"code": "not_ready", "message": "No scrape is stored yet."}}


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (500, RuntimeError("password=1234"), "internal_server_error"),
        (403, HTTPError(403, "Origin 'http://evil' not allowed"), "forbidden"),
        (400, HTTPError(400, "<script>"), "bad_request"),
        (405, HTTPError(405), "method_not_allowed"),
        (409, HTTPError(409, reason="<b>"), "conflict"),
        (404, None, "not_found"),
    ],
)
def test_what_others_raise_is_told_in_our_words(status: int, raised: Exception | None, code: str) -> None:
    failure = described(status, raised)
    assert (failure.status_code, failure.code) == (status, code)
    assert failure.message
    assert not set(failure.message) & set("<>='")
