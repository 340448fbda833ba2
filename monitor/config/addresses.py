"""Where to listen and who may ask: `127.0.0.1:8844`, host names, origins, networks, paths.

An origin is that of RFC 6454 section 6.2: scheme, host and port, nothing after them.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from .problems import expected

HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:]+)):(?P<port>[0-9]{1,5})")

PREFIX = re.compile(r"/([A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*")
ORIGIN = re.compile(r"https?://(?P<host>\[[0-9a-f:.]+\]|[^\[\]:/?#@]+)(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Address:
    """A host (IP literal without brackets, or a name) and a TCP port; port 0 takes any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when the text is not `host:port` or `[IPv6]:port`."""
        match = ADDRESS.fullmatch(text)
        if match is None or int(match["port"]) > 65535:
            raise ValueError(text)
        if match["six"]:
            return cls(str(ipaddress.IPv6Address(match["six"])), int(match["port"]))
        if not is_host(match["host"]):
            raise ValueError(text)
        return cls(match["host"].lower(), int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or (
            is_literal(self.host) and ipaddress.ip_address(self.host).is_loopback
        )

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def read(cls, value: object) -> object:
        if isinstance(value, cls):
            return value
        try:
            return cls.parse(value if isinstance(value, str) else "")
        except ValueError:
            raise expected("an address and a port such as 127.0.0.1:8844 or '[::1]:8844'") from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        del source, handler
        return core_schema.no_info_plain_validator_function(
            cls.read, serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        del schema, handler
        return {"type": "string", "pattern": r":[0-9]{1,5}$", "examples": ["127.0.0.1:8844", "[::1]:8844"]}


def is_literal(host: str) -> bool:
    """Whether this is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """Whether this is a host name or an IPv4 address."""
    if re.fullmatch(r"[0-9.]+", text):
        return is_literal(text)
    return HOST.fullmatch(text) is not None


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
