"""Who may ask, judged by the Host and Origin headers alone."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.server.guard import SCHEMES, host_allowed, is_embedded, is_own, origin_allowed

HOSTS = frozenset({"localhost", "web-1.example.org"})
ORIGINS = frozenset({"https://monitor.example.org"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8844", "127.0.0.1", "127.0.0.1:8844", "10.0.0.7:80", "[::1]", "[::1]:8844",
     "[::ffff:127.0.0.1]", "web-1.example.org", "WEB-1.example.org:443"],
)  # fmt: skip
def test_addresses_and_named_hosts_are_answered(host: str) -> None:
    assert host_allowed(host, HOSTS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost,evil.example",
        "localhost evil.example",
        "localhost:80:90",
        "localhost:",
        "localhost:port",
        "localhost:123456",
        "localhost/",
        "localhost\n",
        "localhost.",
        " localhost",
        "127.0.0.1.evil.example",
        "127.1",
        "0x7f000001",
        "2130706433",
        "127.0.0.01",
        "::1",
        "[localhost]",
        "[127.0.0.1]",
        "[::1",
        "[::1%25eth0]",
        "[::1%eth0]",
        "[fe80::1%\nx]",
        "127-0-0-1.rebind.example",
        "\u212aubernetes",
        "loc\u0430lhost",
        "x" * 100_000,
    ],
)
def test_every_other_host_is_refused(host: str) -> None:
    assert not host_allowed(host, HOSTS)


@pytest.mark.parametrize(
    "origin", ["http://localhost:8844", "HTTPS://LOCALHOST:8844", "https://monitor.example.org"]
)
def test_own_and_listed_origins_are_allowed(origin: str) -> None:
    assert origin_allowed(origin, "localhost:8844", ORIGINS)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://localhost:8844", True),
        ("http://localhost:8844", False),
        ("https://monitor.example.org", True),
    ],
)
def test_under_tls_the_own_origin_is_under_tls_too(origin: str, allowed: bool) -> None:
    assert origin_allowed(origin, "localhost:8844", ORIGINS, "https") is allowed


def test_programs_send_no_origin() -> None:
    assert origin_allowed(None, "localhost:8844", ORIGINS)


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://localhost", "http://localhost:88", "http://localhost:8844/", "http://evil.example",
     "http://localhost:8844.evil.example", "http://evil.example#localhost:8844", "http://user@localhost:8844",
     "http://localhost:8844, http://evil.example", "ftp://localhost:8844", "file://", "http://[",
     "localhost:8844", " http://localhost:8844", "https://sub.monitor.example.org", "http://monitor.example.org"],
)  # fmt: skip
def test_every_other_origin_is_refused(origin: str) -> None:
    assert not origin_allowed(origin, "localhost:8844", ORIGINS)


@pytest.mark.parametrize(
    ("site", "destination", "embedded"),
    [(None, None, False), ("same-origin", "empty", False), ("none", "document", False),
     ("none", "empty", False), ("cross-site", "document", False), ("cross-site", "image", True),
     ("cross-site", "iframe", True), ("cross-site", None, True), ("same-site", "script", True),
     ("same-site", "empty", True)],
)  # fmt: skip
def test_pages_elsewhere_may_link_and_not_embed(
    site: str | None, destination: str | None, embedded: bool
) -> None:
    assert is_embedded(site, destination) is embedded


def test_without_a_host_no_origin_is_the_services_own() -> None:
    assert not is_own("http://", "")


HOSTILE = st.text() | st.text("localhst127.0:[]@/\\#?%,;- \t\r\n\x00")


@given(HOSTILE)
@example("localhost\x00")
def test_an_allowed_host_is_one_of_the_list_or_an_address(host: str) -> None:
    bare = host.removeprefix("[").partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    listed = bare.lower() in HOSTS
    assert not host_allowed(host, HOSTS) or listed or not set(bare) - set("0123456789abcdefABCDEF.:")


@given(HOSTILE, HOSTILE)
def test_a_name_added_to_an_allowed_host_is_refused(before: str, after: str) -> None:
    assume(before + after and not set(before + after) & set("0123456789"))
    assert not host_allowed(f"{before}localhost{after}", HOSTS)


@given(HOSTILE, HOSTILE)
def test_an_allowed_origin_is_the_hosts_or_of_the_list(origin: str, host: str) -> None:
    own = {scheme + host.lower() for scheme in SCHEMES} if host else set()
    for asked in (origin, SCHEMES[0] + origin):
        assert origin_allowed(asked, host, ORIGINS) is (asked.lower() in own | ORIGINS)


@given(HOSTILE)
def test_nothing_may_be_added_to_an_origin(more: str) -> None:
    assume(more)
    assert not origin_allowed("http://localhost" + more, "localhost", ORIGINS)
    assert not origin_allowed(more + "http://localhost", "localhost", ORIGINS)
