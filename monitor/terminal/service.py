"""Questions to a running service over its HTTP API (docs/http-api.md)."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATIENCE = 10.0
"""Seconds until a service that does not answer is given up."""


class ServiceError(Exception):
    """The service cannot be asked; the message says why, and what to do."""


Shown = Callable[[], str]
"""Gives the token to send; an empty text for none."""


def nothing() -> str:
    return ""


def ask(url: str, path: str, method: str = "GET", shown: Shown = nothing) -> tuple[int, Any]:
    """Status and decoded JSON of an answer, None where it has no body.  `url` is where the page is.

    Raises ServiceError for a URL that is none, and where no such service answers.
    """
    place = _place(url)
    try:
        status, body = _answer(place, path, method, shown())
    except ssl.SSLCertVerificationError as error:
        raise ServiceError(
            f"the certificate at {url} is not trusted here: {error.verify_message}; if it is yours, "
            "set SSL_CERT_FILE to the path of its file"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ServiceError(
            f"no service answers at {url}: {reason}; start it with `monitor serve`, "
            "or say where it is with --url"
        ) from error
    try:
        return status, json.loads(body) if body else None
    except ValueError as error:
        raise stranger(url, status) from error


def stranger(url: str, status: int) -> ServiceError:
    """The error of an answer that is none of ours."""
    return ServiceError(
        f"{url} answers with status {status}, and not as this version of monitor does; "
        "say with --url where `monitor serve` is, by the address that it printed"
    )


def refusal(url: str, status: int, answer: Any) -> ServiceError:
    """The error of an answer that is a refusal, in the service's words."""
    said = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return stranger(url, status)
    if status == 401:
        return ServiceError(
            f"{url} wants to know who asks: run this as the user of the service or as root, with --state "
            "if it is not the one that `monitor serve` uses here, or give a token by --token-file or in "
            "MONITOR_TOKEN (`monitor token create`)"
        )
    return ServiceError(f"{url} answers with status {status}: {said['message']}")


def _place(url: str) -> SplitResult:
    place = urlsplit(url)
    try:
        sound = place.scheme in {"http", "https"} and place.hostname and place.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ServiceError(f"--url: found {url!r}, expected the page's address, as http://127.0.0.1:8844")
    return place


def _answer(place: SplitResult, path: str, method: str, token: str) -> tuple[int, bytes]:
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=PATIENCE)
    try:
        connection.request(method, place.path.rstrip("/") + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
