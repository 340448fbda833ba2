"""Where to listen, and who may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.config import Address
from monitor.config.addresses import HostName, Origin


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
