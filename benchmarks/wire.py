"""Bytes: what a tick, five minutes of backfill and the page weigh on the wire."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import monitor
from benchmarks.options import Options, progress
from benchmarks.row import Row
from benchmarks.tick import PAST, Board
from monitor.server.static import read_assets
from monitor.stream.frames import Frame

TICKS = 30


def rows(options: Options) -> Iterator[Row]:
    """Medians need no runs here: the same values give the same bytes."""
    progress(f"filling the head with {options.rows} scrapes of this host")
    board = Board(options.rows, options.pace)
    ticks = [Frame(tick) for tick in payloads(board, min(TICKS, options.passes))]
    plain, packed = (
        mean([len(one.wire(False)) for one in ticks]),
        mean([len(one.wire(True)) for one in ticks]),
    )
    yield Row("a tick, compressed once for all", packed, "bytes", "plain", plain)
    with_context = mean(in_context([one.payload for one in ticks]))
    yield Row("a tick, compressed once for all", packed, "bytes", "with context takeover", with_context)
    past = board.feed.past(board.feed.n - PAST, board.feeds.storage)
    name = f"backfill of {PAST} s, compressed"
    yield Row(name, len(past.wire(True)), "bytes", "plain", len(past.wire(False)))
    yield page()


def payloads(board: Board, count: int) -> list[bytes]:
    """The texts of ticks, one after the other."""
    found: list[bytes] = []

    def tick() -> None:
        board.feeds.advance(board.watched.now)
        found.extend(frame.payload for frame in board.feed.frames[-1:])

    board.watched.passes(count + 1, tick)
    return list(dict.fromkeys(found))


def in_context(payloads: list[bytes]) -> list[int]:
    """Sizes of messages that one compressor made, each with those before it in its window."""
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return [len(deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)) - 4 for payload in payloads]


def page() -> Row:
    """All that a browser loads, as it is sent to one that takes gzip."""
    assets = read_assets(Path(monitor.__file__).parent / "static")
    loaded = {name: one for name, one in assets.items() if name and not name.endswith((".md", ".txt"))}
    if not loaded:
        raise FileNotFoundError("the page is not built: run `pip install -e .`, or `npm run build` in web/")
    packed = sum(len(one.packed or one.body) for one in loaded.values())
    plain = sum(len(one.body) for one in loaded.values())
    return Row(f"page, {len(loaded)} files, compressed", packed / 1e3, "kB", "plain", plain / 1e3, most=200)


def mean(sizes: list[int]) -> float:
    return sum(sizes) / len(sizes)
