"""The page's own tests and types, run by its own tools; and what its build weighs and contains."""

import gzip
import re
from pathlib import Path

import pytest

from tests import node


def test_the_unit_tests_of_the_page_pass() -> None:
    status, output = node.npm("run", "test")
    assert status == 0, output


def test_the_types_of_the_page_hold() -> None:
    status, output = node.npm("run", "check")
    assert status == 0, output


@pytest.fixture(scope="module")
def built() -> list[Path]:
    """Every file of the built page."""
    return sorted(path for path in node.built_page().rglob("*") if path.is_file())


def test_the_page_weighs_at_most_200_kilobytes_compressed(built: list[Path]) -> None:
    sent = [path for path in built if path.suffix in {".html", ".js", ".css", ".svg", ".woff2", ".json"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in sent) <= 200_000


def test_the_page_has_no_inline_script_or_style(built: list[Path]) -> None:
    (index,) = [path.read_text(encoding="utf-8") for path in built if path.name == "index.html"]
    assert not re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", index)


def test_the_page_carries_the_licenses_of_what_is_compiled_into_it(built: list[Path]) -> None:
    (licenses,) = [path.read_text(encoding="utf-8") for path in built if "license" in path.name.lower()]
    assert {"svelte", "uplot"} <= set(re.findall(r"^#+ (\w+)", licenses, flags=re.MULTILINE)), licenses[:400]
