"""Who may ask, and below which path: host names, origins, networks.

An origin is that of RFC 6454 section 6.2: scheme, host and port, nothing after them.
"""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator

from .address import is_host, is_literal
from .problems import expected

PREFIX = re.compile(r"/([A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*")
ORIGIN = re.compile(r"https?://(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/?#@]+)(:[0-9]{1,5})?")


def read_host(text: str) -> str:
    if not (is_host(text) or is_literal(text)):
        raise expected("one host name without scheme, port or wildcard, such as monitor.example.org")
    return text.lower()


def read_origin(text: str) -> str:
    match = ORIGIN.fullmatch(text.lower())
    if match is None or not (is_host(match["host"]) or is_literal(match["host"].strip("[]"))):
        raise expected("a scheme and a host as browsers send them, such as https://monitor.example.org")
    return match[0]


def read_prefix(text: str) -> str:
    whole = text if text.endswith("/") else f"{text}/"
    if PREFIX.fullmatch(whole) is None:
        raise expected("the path below which the service is, such as / or /monitor/")
    return whole


def read_network(text: str) -> str:
    """An address stands for itself alone; both are kept as the library writes them."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        network = None
    if network is None or network.prefixlen == 0 or is_mapped(network):
        raise expected(
            "an IP address or a network without host bits, such as 127.0.0.1, 10.1.0.0/16 or fd00::/64, "
            "and not every address there is"
        )
    return str(network if network.num_addresses > 1 else network.network_address)


def is_mapped(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Whether these are IPv4 addresses written as IPv6 (RFC 4291 section 2.5.5.2), which are compared as
    IPv4."""
    return getattr(network.network_address, "ipv4_mapped", None) is not None


Prefix = Annotated[str, AfterValidator(read_prefix)]
Network = Annotated[str, AfterValidator(read_network)]
HostName = Annotated[str, AfterValidator(read_host)]
Origin = Annotated[str, AfterValidator(read_origin)]
