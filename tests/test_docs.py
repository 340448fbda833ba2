"""What the documents say is so: the table of rooms, links, versions, the two commands."""

import re
import shlex
from pathlib import Path

import pytest

import monitor
import setup
from monitor.__main__ import parser
from monitor.commands import Parser
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


def commands(document: str) -> set[str]:
    """What a document has people type: `monitor ...` in its blocks and within its sentences."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    typed = [*lines, *re.findall(r"`([^`\n]+)`", document)]
    found = (re.search(r"(?:^|/|&& )(monitor [a-z].*)", line) for line in typed)
    return {each[1] for each in found if each}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_that_the_documents_give_are_understood(document: Path) -> None:
    top = parser()
    for command in sorted(commands(document.read_text(encoding="utf-8"))):
        words = shlex.split(command, comments=True)[1:]
        if names_only(words):
            words.append("--help")
        assert understood(top, words), command


def understood(top: Parser, words: list[str]) -> bool:
    try:
        top.parse_args(words)
    except SystemExit as left:
        return not left.code
    return True


def names_only(words: list[str]) -> bool:
    """Whether a command is named, and not given whole."""
    return not [word for word in words if word.startswith("-") or not word.islower()]


def test_most_commands_are_in_the_documents() -> None:
    every = set().union(*(commands(path.read_text(encoding="utf-8")) for path in DOCUMENTS))
    assert len(every) > 20
