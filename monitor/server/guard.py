"""Who may ask: names under which the service answers, and origins whose pages may use it.

A page of a foreign site reaches a service on this machine in two ways: it makes a name of its own point here
(DNS rebinding), which the Host header betrays (RFC 9110, 7.2), or it asks across origins, which the Origin
header betrays (RFC 6454, 7) or, where there is none, as for images, Sec-Fetch-Site (W3C Fetch Metadata).  All
are judged by the text alone; what is not well formed is refused.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

HOST = re.compile(r"(\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(:[0-9]{1,5})?", re.ASCII)
SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Guard:
    """What the two checks allow; names and origins in lower case."""

    hosts: Collection[str] = frozenset({"localhost"})
    """Host names besides IP addresses, which nobody can rebind."""
    origins: Collection[str] = frozenset()
    """Origins besides the service's own, such as `https://monitor.example.org`."""


def host_allowed(host: str, allowed: Collection[str]) -> bool:
    """Whether a Host header names this service: an IP address or one of the names, with any port or none."""
    match = HOST.fullmatch(host)
    if match is None:
        return False
    if match["six"] is not None:
        return is_address(IPv6Address, match["six"])
    return match["name"].lower() in allowed or is_address(IPv4Address, match["name"])


def name_of(host: str) -> str:
    """The name or address in a Host header that was found allowed, without its port."""
    return re.sub(r":[0-9]+$", "", host)


def is_address(version: type[IPv4Address] | type[IPv6Address], text: str) -> bool:
    try:
        version(text)
    except AddressValueError:
        return False
    return True


def origin_allowed(origin: str | None, host: str, allowed: Collection[str], protocol: str = "http") -> bool:
    """Whether an Origin header is of this host (whose name was found allowed), or one of those allowed.

    Programs that are no browser send none, which is allowed.  `protocol` is that of the request.
    """
    return origin is None or origin.lower() in allowed or is_own(origin, host, protocol)


def is_embedded(site: str | None, destination: str | None) -> bool:
    """Whether a page of elsewhere asks for its own use (an image, a script), and does not just link to us.

    `site` and `destination` are the headers Sec-Fetch-Site and Sec-Fetch-Dest, which only browsers send.
    """
    return site in ("cross-site", "same-site") and destination != "document"


def is_own(origin: str, host: str, protocol: str = "http") -> bool:
    """Whether an origin is the service's own: under TLS only the one that is under TLS, too.

    Where it seems not to be, a proxy that is not known may have taken TLS off, and the scheme tells nothing.
    """
    schemes = SCHEMES[1:] if protocol == "https" else SCHEMES
    return bool(host) and any(origin.lower() == scheme + host.lower() for scheme in schemes)
