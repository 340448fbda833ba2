"""The page as it is served: from a table, packed, cached by the rules of its names."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.server.static import accepts_gzip, read_assets

from .conftest import Ask

SCRIPT = "/assets/index-Ab_-1234.js"
OUTSIDE = (
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/.%2e/secret.txt",
    "/assets/../../secret.txt",
    "//etc/passwd",
    "/assets",
    "/assets/",
    "/index.html/",
    "/index.html%00",
    "/index.html::$DATA",
    "/INDEX.HTML",
)
PACKED = {"Accept-Encoding": "gzip, br"}


@pytest.mark.gen_test
async def test_the_page_is_asked_for_anew_each_time(ask: Ask, page: Path) -> None:
    for path in ("/", "/index.html"):
        answer = await ask(path)
        assert (answer.code, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.body == (page / "index.html").read_bytes()


@pytest.mark.gen_test
async def test_what_is_named_by_its_content_is_kept_for_ever(ask: Ask) -> None:
    answer = await ask(SCRIPT)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.gen_test
async def test_it_is_sent_packed_to_those_who_can_unpack(ask: Ask, page: Path) -> None:
    plain = await ask(SCRIPT, decompress_response=False)
    packed = await ask(SCRIPT, decompress_response=False, headers=PACKED)
    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.body) == plain.body == (page / SCRIPT[1:]).read_bytes()
    assert len(packed.body) < len(plain.body) / 10
    assert packed.headers["Etag"] != plain.headers["Etag"]


@pytest.mark.gen_test
async def test_what_the_client_has_is_not_sent_again(ask: Ask) -> None:
    for headers in ({}, PACKED):
        first = await ask("/", headers=headers)
        again = await ask("/", headers=headers | {"If-None-Match": first.headers["Etag"]})
        assert (again.code, again.body) == (304, b"")
        assert again.headers["Content-Security-Policy"]
        assert (await ask("/", headers={"If-None-Match": '"other"'})).code == 200


@pytest.mark.gen_test
async def test_head_tells_the_length_and_sends_nothing(ask: Ask, page: Path) -> None:
    answer = await ask("/", method="HEAD", decompress_response=False)
    length = (page / "index.html").stat().st_size
    assert (answer.code, answer.body, int(answer.headers["Content-Length"])) == (200, b"", length)


@pytest.mark.gen_test
async def test_no_path_leaves_the_table(ask: Ask, page: Path) -> None:
    (page.parent / "secret.txt").write_text("secret")
    for path in OUTSIDE:
        answer = await ask(path)
        assert (answer.code, b"secret" in answer.body) == (404, False), path


@pytest.mark.gen_test
async def test_files_made_after_the_start_are_not_served(ask: Ask, page: Path) -> None:
    (page / "late.js").write_text("late")
    assert (await ask("/late.js")).code == 404


def test_types_come_from_our_own_table(tmp_path: Path) -> None:
    for name in ("a.woff2", "b.bin", "c.svg", "d.JS"):
        (tmp_path / name).write_bytes(b"x")
    kinds = {name: asset.kind for name, asset in read_assets(tmp_path).items()}
    other = "application/octet-stream"
    assert kinds == {"a.woff2": "font/woff2", "b.bin": other, "c.svg": "image/svg+xml", "d.JS": other}


def test_what_packing_makes_longer_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "short.js").write_bytes(b"x")
    (tmp_path / "photo.png").write_bytes(b"x" * 5000)
    assert [asset.packed for asset in read_assets(tmp_path).values()] == [None, None]


@pytest.mark.parametrize(
    ("accepted", "answer"),
    [("", False), ("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.000", False),
     ("x-gzip", False), ("identity", False), ("*", False), ("gzip;q=1", True)],
)  # fmt: skip
def test_who_can_unpack(accepted: str, answer: bool) -> None:
    assert accepts_gzip(accepted) is answer


@given(st.text())
def test_any_accept_encoding_is_read(accepted: str) -> None:
    assert accepts_gzip(accepted) in (True, False)


class TestWithoutAPage:
    @pytest.fixture
    def options(self, options: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
        return {**options, "page": tmp_path / "nothing"}

    @pytest.mark.gen_test
    async def test_the_answer_says_how_to_build_it(self, ask: Ask) -> None:
        answer = await ask("/")
        assert answer.code == 503
        assert b"pip install ." in answer.body
        assert b"npm run build" in answer.body
        assert (await ask("/healthz")).code == 200
