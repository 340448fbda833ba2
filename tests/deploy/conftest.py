"""A certificate for those who stand in front, and a client that trusts it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.tls import pair, trusting


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return pair(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trust(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return trusting(certificate[0])
