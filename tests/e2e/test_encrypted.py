"""The page in a real browser under TLS and below a prefix: from the service itself, and through proxies."""

from pathlib import Path

import pytest

from tests import node
from tests.deploy.proxy import behind
from tests.e2e.conftest import Browse
from tests.e2e.sight import says
from tests.service import running
from tests.tls import pair

PREFIX = {"SERVER__PREFIX": "/monitor/"}
SPOKEN = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
"""What the page came by (Resource Timing)."""


@pytest.mark.gen_test(timeout=60)
async def test_the_page_is_live_from_the_service_itself_and_through_proxies(
    browse: Browse, tmp_path: Path
) -> None:
    """Browsers speak HTTP/2 with the proxies, and HAProxy takes the live stream over it, too (RFC 8441)."""
    node.built_page()
    certificate, key = pair(tmp_path)
    (plain_folder := tmp_path / "plain").mkdir()
    tls = {"SERVER__TLS__CERTIFICATE": str(certificate), "SERVER__TLS__KEY": str(key)}
    with (
        running(tmp_path, **PREFIX, **tls) as encrypted,
        running(plain_folder, SERVER__TRUSTED_PROXIES="[127.0.0.1]", **PREFIX) as plain,
        behind(tmp_path / "proxies", f"{plain.url}monitor/", (certificate, key)) as proxies,
    ):
        for url in (f"{encrypted.url}monitor/", *(proxy.url for proxy in proxies.values())):
            page = await browse(url, ignore_https_errors=True)
            await says(page, "live")
            assert await page.evaluate(SPOKEN) == ("http/1.1" if url.startswith(encrypted.url) else "h2")
            await page.close()
