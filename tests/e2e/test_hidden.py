"""A tab that is hidden or frozen costs nothing and catches up."""

import pytest
from playwright.async_api import Browser

from tests.e2e.tab import Tab
from tests.service import Service

SIGN = "document.querySelector('[data-testid=sign]').dataset.state"


@pytest.mark.gen_test(timeout=60)
async def test_a_hidden_tab_is_sent_beats_only_and_then_all_that_it_missed(
    chromium: Browser, service: Service
) -> None:
    tab = await Tab.open(chromium, service.url)
    await tab.wire.more("tick", 2)
    assert await tab.evaluate("document.visibilityState") == "visible"
    await tab.hide()
    assert await tab.evaluate("document.visibilityState") == "hidden"
    await tab.wire.more("beat", 2)
    sent = len(tab.wire.of("tick"))
    await tab.wire.more("beat", 2)
    assert len(tab.wire.of("tick")) == sent
    await tab.show()
    await tab.wire.more("columns")
    await tab.wire.more("tick")
    assert len(tab.wire.of("columns")[0]["columns"]["t"]) >= 3
    tab.wire.assert_whole()
    assert await tab.evaluate(SIGN) == "live"


@pytest.mark.gen_test(timeout=60)
async def test_a_frozen_tab_loses_its_connection_and_no_column(chromium: Browser, service: Service) -> None:
    tab = await Tab.open(chromium, service.url)
    await tab.wire.more("tick", 2)
    await tab.freeze()
    await tab.show()
    await tab.wire.more("subscribed")
    await tab.wire.more("tick")
    tab.wire.assert_whole()
    assert await tab.evaluate(SIGN) == "live"
