"""The link that logs somebody in, as people are told of it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from .access import LINK_LASTS, link_code
from .folder import AccessError, Folder

ADDRESS = "address"
"""The file in which a service says where its page is."""
ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - addresses that listen everywhere and that nobody can go to
LASTS = f"{LINK_LASTS / 60:.0f} minutes"


def link(folder: Folder, url: str, now: float) -> str:
    """A link below the page's address that logs in whoever opens it first; `now` is Unix time."""
    return f"{reachable(url)}login?code={link_code(folder, now)}"


def reachable(url: str) -> str:
    """The address of the page as a browser takes it: with a host, and a slash at its end."""
    place = urlsplit(url)
    if place.hostname in ANYWHERE:
        port = f":{place.port}" if place.port else ""
        place = place._replace(netloc=f"{socket.gethostname()}{port}")
    return urlunsplit(place._replace(path=place.path.rstrip("/") + "/", query="", fragment=""))


def invitation(folder: Folder, url: str, environ: Mapping[str, str], now: float) -> str:
    """What a start says to whoever sees it.  The journal has other readers, and keeps everything."""
    if "JOURNAL_STREAM" in environ:  # systemd.exec(5)
        return "to log in, open the link that this prints: monitor login-link\n"
    return (
        f"To log in, open this link, once, within {LASTS}; `monitor login-link` makes another:\n"
        f"{link(folder, url, now)}\n"
    )


def tell_address(folder: Folder, url: str) -> None:
    """Leave word of where the page is.  Raises AccessError."""
    folder.write(ADDRESS, url, lasting=False)


def told_address(folder: Folder) -> str:
    """Where the service of this folder says that its page is.  Raises AccessError where it does not."""
    folder.expect()
    url = folder.read(ADDRESS)
    if not url:
        raise AccessError(f"no service has said in {folder.path} where its page is; say it with --url")
    return url
