"""The page in Firefox, whose WebSocket and inflater are not Chromium's."""

import json
from pathlib import Path

import pytest

from tests.e2e import firefox
from tests.e2e.sight import BUSY
from tests.service import Service

pytestmark = pytest.mark.skipif(
    firefox.path() is None, reason="no Firefox to open the page in: apt-get install firefox-esr"
)

ON_EVERY_FRAME = (
    "new Promise(done => {{ const look = () => {{ {0}; requestAnimationFrame(look) }}; look() }})"
)
LIVE = ON_EVERY_FRAME.format(
    "const sign = document.querySelector('[data-testid=sign]')?.dataset.state;"
    "if (sign === 'live') return done(sign)"
)
MOVES = ON_EVERY_FRAME.format(
    f"""
    const panel = document.querySelector('[aria-label="{BUSY}"]');
    panel.scrollIntoView();
    const text = panel.querySelector('ul')?.innerText ?? '';
    if (/[0-9]/.test(text)) window.seen = (window.seen ?? new Set()).add(text);
    if (window.seen?.size === 3) return done([...window.seen].join(' | '))
    """
)
SOCKET = """
new Promise((done, failed) => {
    const socket = new WebSocket(new URL('live', location.href.replace('http', 'ws')), 'monitor.v1');
    const types = [];
    socket.onopen = () => socket.send(JSON.stringify(
        {type: 'subscribe', request: 1, board: 'overview', range: 1000}));
    socket.onmessage = (event) => {
        types.push(JSON.parse(event.data).type);
        if (types.filter((type) => type === 'tick').length < 3) return;
        done(JSON.stringify({extensions: socket.extensions, protocol: socket.protocol, types}));
        socket.close();
    };
    socket.onclose = (event) => failed(new Error(`closed with ${event.code}`));
})
"""


@pytest.mark.gen_test(timeout=90)
async def test_firefox_shows_live_values_and_complains_of_nothing(service: Service, tmp_path: Path) -> None:
    async with firefox.running(tmp_path) as browser:
        await browser.open(service.url)
        assert await browser.evaluate(LIVE) == "live"
        shown = await browser.evaluate(MOVES)
        assert len(set(shown.split(" | "))) == 3
        assert browser.complaints == []


@pytest.mark.gen_test(timeout=90)
async def test_firefox_takes_the_upgrade_and_the_compressed_frames_of_all(
    service: Service, tmp_path: Path
) -> None:
    async with firefox.running(tmp_path) as browser:
        await browser.open(service.url)
        heard = json.loads(await browser.evaluate(SOCKET))
    assert (heard["extensions"], heard["protocol"]) == ("permessage-deflate", "monitor.v1")
    assert [kind for kind in heard["types"] if kind not in ("beat", "series")][:2] == [
        "welcome",
        "subscribed",
    ]
    assert heard["types"].count("tick") == 3
