"""What is installed is what was locked: every package of others, with the hash of its contents."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import setup

ROOT = Path(__file__).resolve().parent.parent


def pins(name: str) -> dict[str, str]:
    """Version by package of a lock file; each pin is followed by its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.sub(
        r"^\S+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", "", text, flags=re.MULTILINE
    ).strip()
    return dict(re.findall(r"^(\S+)==(\S+)", text, flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", setup.INSTALL),
        ("requirements-test.lock", setup.INSTALL + setup.TEST + setup.DEV),
    ],
)
def test_the_lock_holds_what_the_package_asks_for(lock: str, requirements: list[str]) -> None:
    locked = pins(lock)
    for requirement in map(Requirement, requirements):
        version = locked.get(canonicalize_name(requirement.name), "none")
        assert version in requirement.specifier, f"{lock} has {version} for {requirement}; run: make lock"


def test_tests_run_on_the_versions_that_users_get() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-test.lock").items()


def page(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "web" / name).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("kind", ["dependencies", "devDependencies"])
def test_the_page_s_lock_holds_what_its_package_asks_for(kind: str) -> None:
    locked = page("package-lock.json")["packages"]
    asked = page("package.json")[kind]
    assert locked[""][kind] == asked
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_page_s_lock_has_a_hash_for_everything_and_addresses_for_nothing() -> None:
    entries = {place: entry for place, entry in page("package-lock.json")["packages"].items() if place}
    assert not [
        place for place, entry in entries.items() if not entry.get("integrity", "").startswith("sha512-")
    ]
    assert not [place for place, entry in entries.items() if "resolved" in entry]
