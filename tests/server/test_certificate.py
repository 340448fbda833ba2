"""The end of a certificate, as openssl tells it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.server.certificate import expiry, first_certificate
from tests.tls import pair


def told_by_openssl(path: Path) -> float:
    command = ["openssl", "x509", "-in", str(path), "-noout", "-enddate"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return datetime.strptime(text, "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("days", [1, 365, 9000, 20_000])  # From 2050 on, the time is written otherwise.
def test_the_end_is_what_openssl_says(tmp_path: Path, days: int) -> None:
    certificate, _ = pair(tmp_path, days=days)
    assert expiry(first_certificate(certificate.read_text())) == told_by_openssl(certificate)


def test_the_first_of_a_chain_is_the_services_own(tmp_path: Path) -> None:
    first, second = (pair(tmp_path, str(days), days)[0] for days in (1, 9))
    chain = f"text before\n{first.read_text()}{second.read_text()}"
    assert expiry(first_certificate(chain)) == told_by_openssl(first)


def time_in(tag: int, text: bytes) -> bytes:
    """The least of a certificate that has an end."""

    def wrapped(kind: int, content: bytes) -> bytes:
        return bytes([kind, len(content)]) + content

    validity = wrapped(0x30, wrapped(0x17, b"491231235959Z") + wrapped(tag, text))
    return wrapped(0x30, wrapped(0x30, wrapped(2, b"1") + wrapped(0x30, b"") * 2 + validity))


@pytest.mark.parametrize(
    ("tag", "text", "year"),
    [(0x17, b"491231235959Z", 2049), (0x17, b"500101000000Z", 1950), (0x17, b"991231235959Z", 1999),
     (0x18, b"99991231235959Z", 9999)],
)  # fmt: skip
def test_years_of_two_digits_are_those_of_the_standard(tag: int, text: bytes, year: int) -> None:
    assert datetime.fromtimestamp(expiry(time_in(tag, text)), UTC).year == year


@given(st.binary(max_size=300), st.integers(0, 300))
def test_what_is_no_certificate_is_a_value_error(data: bytes, cut: int) -> None:
    for broken in (data, b"\x30\x82" + data, time_in(0x17, b"491231235959Z")[:cut][:-1]):
        with pytest.raises(ValueError, match=r".+"):
            expiry(broken)


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "key"])
def test_what_holds_no_certificate_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no certificate in it"):
        first_certificate(text)
