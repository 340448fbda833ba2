"""Where to listen, and who may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.config import Address
from monitor.config.addresses import HostName, Network, Origin, Prefix


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8844", "127.0.0.1", 8844),
        ("[::1]:0", "::1", 0),
        ("[2001:DB8::0:1]:443", "2001:db8::1", 443),
        ("Localhost:80", "localhost", 80),
        ("monitor.example.org:65535", "monitor.example.org", 65535),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert TypeAdapter(Address).validate_python(text) == Address(host, port)


@pytest.mark.parametrize(
    "text",
    ["", "8844", ":8844", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:8844", "[::1]",
     "[::g]:1", "256.0.0.1:1", "http://localhost:1", "a b:1", "*:1", "127.1:1", "localhost:1/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="an address and a port such as"):
        TypeAdapter(Address).validate_python(text)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_an_address_prints_as_it_is_read(host: object, port: int) -> None:
    address = Address(str(host), port)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost.example.org", "::ffff:192.0.2.1"])
def test_all_else_is_not_loopback(host: str) -> None:
    assert not Address(host, 1).is_loopback


@pytest.mark.parametrize("text", ["monitor.example.org", "web-1", "192.0.2.1", "::1"])
def test_a_host_name_is_taken_in_lower_case(text: str) -> None:
    assert TypeAdapter(HostName).validate_python(text.upper()) == text


@pytest.mark.parametrize("text", ["", "*", "*.example.org", "a:80", "http://a", "a/b", "300.1.1.1", "é.org"])
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="one host name"):
        TypeAdapter(HostName).validate_python(text)


@pytest.mark.parametrize("text", ["https://monitor.example.org", "http://192.0.2.1:8080", "http://[::1]:80"])
def test_an_origin_is_scheme_host_and_port(text: str) -> None:
    assert TypeAdapter(Origin).validate_python(text.upper()) == text


@pytest.mark.parametrize(
    "text",
    ["", "*", "null", "example.org", "https://a/", "https://a?x", "https://u@a", "ftp://a", "https://*.a"],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="a scheme and a host"):
        TypeAdapter(Origin).validate_python(text)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", "/"),
        ("/", "/"),
        ("/monitor/", "/monitor/"),
        ("/monitor", "/monitor/"),
        ("/a/b-1/c.d_~", "/a/b-1/c.d_~/"),
    ],
)
def test_a_prefix_is_a_path_that_ends_with_a_slash(text: str, prefix: str) -> None:
    assert TypeAdapter(Prefix).validate_python(text) == prefix


@pytest.mark.parametrize(
    "text",
    ["monitor", "monitor/", "//", "//evil.example/", "/a//b", "/../", "/a/./b", "/a b/", "/a?b", "/a#b",
     "/%2e/", "/(.*)/", "http://a/", "/\n", "/é/"],
)  # fmt: skip
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="the path below which the service is"):
        TypeAdapter(Prefix).validate_python(text)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("10.1.0.0/16", "10.1.0.0/16"),
        ("FD00::/64", "fd00::/64"),
        ("::1/128", "::1"),
    ],
)
def test_a_network_is_an_address_or_a_range_of_them(text: str, network: str) -> None:
    assert TypeAdapter(Network).validate_python(text) == network


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "10.1.2.3/16", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.1", "::ffff:10.0.0.1",
     "::ffff:10.0.0.0/104", "*"],
)  # fmt: skip
def test_what_is_no_network_or_is_every_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="an IP address or a network without host bits"):
        TypeAdapter(Network).validate_python(text)
