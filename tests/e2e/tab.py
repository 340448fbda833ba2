"""A tab that can be hidden, which Playwright's own pages cannot: it tells them that they have the focus.

The tab belongs to a window that Playwright does not know, and is spoken to in Chromium's DevTools protocol.
"""

import asyncio
import json
from typing import Any

from playwright.async_api import Browser, CDPSession

from tests.e2e.wire import Wire


class Tab:
    """`tab = await Tab.open(browser, url)`; its `wire` has what came over its WebSocket."""

    def __init__(self, browser: CDPSession, target: str, session: str) -> None:
        self.browser = browser
        self.target = target
        self.session = session
        self.wire = Wire()
        self.answers: dict[int, asyncio.Future[Any]] = {}
        browser.on("Target.receivedMessageFromTarget", self._heard)

    @classmethod
    async def open(cls, chromium: Browser, url: str) -> "Tab":
        browser = await chromium.new_browser_cdp_session()
        context = await browser.send("Target.createBrowserContext")
        place = {"url": "about:blank", "browserContextId": context["browserContextId"]}
        target = (await browser.send("Target.createTarget", place))["targetId"]
        attached = await browser.send("Target.attachToTarget", {"targetId": target, "flatten": False})
        tab = cls(browser, target, attached["sessionId"])
        await tab.send("Network.enable")
        await tab.send("Page.enable")
        await tab.send("Page.navigate", url=url)
        return tab

    async def send(self, method: str, **parameters: Any) -> Any:
        """Send one command; its result."""
        number = len(self.answers)
        answer = self.answers[number] = asyncio.get_running_loop().create_future()
        message = json.dumps({"id": number, "method": method, "params": parameters})
        await self.browser.send("Target.sendMessageToTarget", {"sessionId": self.session, "message": message})
        return await answer

    def _heard(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if "id" in message:
            self.answers[message["id"]].set_result(message.get("result"))
        elif message["method"] == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            if frame["opcode"] == 1:
                self.wire.received(frame["payloadData"])

    async def evaluate(self, expression: str) -> Any:
        result = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")

    async def hide(self) -> None:
        """Out of sight and running."""
        await self._window("minimized")

    async def freeze(self) -> None:
        """Out of sight and stopped, then running again, still out of sight."""
        await self.send("Page.setWebLifecycleState", state="frozen")
        await self.send("Page.setWebLifecycleState", state="active")

    async def show(self) -> None:
        await self._window("minimized")
        await self._window("normal")

    async def _window(self, state: str) -> None:
        window = await self.browser.send("Browser.getWindowForTarget", {"targetId": self.target})
        bounds = {"windowId": window["windowId"], "bounds": {"windowState": state}}
        await self.browser.send("Browser.setWindowBounds", bounds)
