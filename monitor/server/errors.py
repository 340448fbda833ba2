"""Answers other than success, in one shape: `{"error": {"code": ..., "message": ...}}`."""

from collections.abc import Mapping
from http import HTTPStatus

from tornado.web import HTTPError


class Failure(HTTPError):  # noqa: N818 - it is an answer
    """Raised by a handler to answer with a status, a code for programs, and a message for a person."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.code, self.message = code, message
        self.headers = headers or {}


MESSAGES = {
    400: "The request could not be read.",
    403: "The request comes from a page of another site.",
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
    500: "The service failed; its log says why.",
}


def described(status: int, raised: BaseException | None) -> Failure:
    """What a handler raised, or what Tornado did; never with words of the request or of an exception."""
    if isinstance(raised, Failure):
        return raised
    code = HTTPStatus(status).name.lower()
    return Failure(status, code, MESSAGES.get(status, HTTPStatus(status).phrase))


def body(failure: Failure) -> dict[str, object]:
    return {"error": {"code": failure.code, "message": failure.message}}
