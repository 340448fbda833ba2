"""What a request shows of who asks: a token (RFC 6750 section 2.1), or the cookie of a session (RFC 6265)."""

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from monitor.access import Access, Credential
from monitor.access.sessions import LONGEST


def credential(request: HTTPServerRequest, access: Access) -> Credential | None:
    """Who asks, and what that one may; what everybody may where nothing is shown, None where that is nothing.

    A token that is not right is not made up for by a cookie, nor by what everybody may.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return access.bearer(token.strip())
    return access.session(session(request, access)) or access.nobody


def session(request: HTTPServerRequest, access: Access) -> str:
    """The session that the cookie names, which may be none of ours; empty where there is no cookie."""
    wanted = name(request, access)
    # Thousands of cookies of others are not made objects of, as `request.cookies` would: that takes many ms.
    for pair in reversed(request.headers.get("Cookie", "").split(";")):
        key, _, value = pair.partition("=")
        if key.strip() == wanted:
            return value.strip().strip('"')
    return ""


def name(request: HTTPServerRequest, access: Access) -> str:
    """Of the cookie.  Under TLS no other host and no other path can have set it (RFC 6265bis, `__Host-`)."""
    return f"__Host-{access.cookie}" if request.protocol == "https" else access.cookie


def give(handler: RequestHandler, access: Access, secret: str) -> None:
    """Set the cookie: no script reads it, and no page of another site has it sent."""
    handler.set_cookie(
        name(handler.request, access),
        secret,
        path="/",
        max_age=int(LONGEST),
        httponly=True,
        samesite="Strict",
        secure=handler.request.protocol == "https",
    )


def take(handler: RequestHandler, access: Access) -> None:
    """Have the browser forget the cookie."""
    secure = handler.request.protocol == "https"
    handler.clear_cookie(name(handler.request, access), httponly=True, samesite="Strict", secure=secure)
