"""Whatever a test measured with, its files are closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.collect import Host


@pytest.fixture(autouse=True)
def let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes every host that the test made."""
    made: list[Host] = []
    begin = Host.__init__

    def noted(host: Host, *places: Any, **named: Any) -> None:
        begin(host, *places, **named)
        made.append(host)

    monkeypatch.setattr(Host, "__init__", noted)
    yield
    for host in made:
        host.close()
