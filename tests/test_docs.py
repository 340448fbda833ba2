"""What the documents say is so: the table of rooms, links, versions, the two commands."""

import re
from pathlib import Path

import pytest

import monitor
import setup
from tests.test_layers import LEAVES, ROOMS, WEB_ROOMS, WIRING

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def names(cell: str) -> list[str]:
    return cell.replace("\\", "").strip().split(", ")


def table() -> dict[str, list[str]]:
    """The import table of docs/architecture.md: what each room may import."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", text("docs/architecture.md"), flags=re.MULTILINE)
    return {room: names(may) for rooms, may in rows for room in names(rooms)}


def test_the_import_table_is_the_one_that_the_tests_hold() -> None:
    expected = {room: sorted(may) or ["leaves"] for room, may in ROOMS.items()}
    expected |= {room: ["leaves"] for room in LEAVES} | {room: ["everything"] for room in WIRING}
    documented = table()
    assert {room: documented.get(room) for room in expected} == expected
    assert documented["page (web/src)"] == [f"leftward only: {' < '.join(WEB_ROOMS)}"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert not [link for link in local if not (document.parent / link).exists()]


def test_the_changelog_ends_with_the_version_of_the_package() -> None:
    versions = re.findall(r"^## \[(.+?)\]", text("CHANGELOG.md"), flags=re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert versions[1] == monitor.__version__


def test_the_readme_gives_one_command_to_run_and_one_to_test() -> None:
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text("README.md"), flags=re.MULTILINE | re.DOTALL)
    assert blocks == [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/monitor serve",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ]


def test_the_documents_name_no_version_of_python_that_the_package_refuses() -> None:
    assert f"Python {setup.PYTHON} or newer" in text("README.md")
