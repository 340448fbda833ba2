"""The built page.  Files are read and packed once, at the start: no path of a request reaches the disk."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monitor.server.base import Base
from monitor.server.errors import Failure

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
PACKABLE = ("text/", "application/", "image/svg")
HASHED = re.compile(r"assets/.*-[A-Za-z0-9_-]{8}\.\w+")
"""Names that Vite makes from the content, so that what is under one never changes."""

FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
NOT_BUILT = "The page is not built: run `pip install .`, or `npm run build` in web/, and start again."


class Asset(NamedTuple):
    """A file as it is sent."""

    body: bytes
    packed: bytes | None
    """By gzip, where that is shorter."""
    kind: str
    cache: str
    etag: str


def read_assets(folder: Path) -> dict[str, Asset]:
    """Assets by path below the folder; the page also by the empty path.  None where nothing is built."""
    found = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    assets = {name: asset(name, path.read_bytes()) for name, path in found.items()}
    if "index.html" in assets:
        assets[""] = assets["index.html"]
    return assets


def asset(name: str, body: bytes) -> Asset:
    kind = TYPES.get(Path(name).suffix, "application/octet-stream")
    packed = gzip.compress(body, 9, mtime=0) if kind.startswith(PACKABLE) else body
    return Asset(
        body=body,
        packed=packed if len(packed) < len(body) else None,
        kind=kind,
        cache=FOREVER if HASHED.fullmatch(name) else ASK_FIRST,
        etag=hashlib.sha256(body).hexdigest()[:32],
    )


class Static(Base):
    """Serves one table of assets; Tornado answers 304 to a client that has the ETag already."""

    def initialize(self, assets: Mapping[str, Asset]) -> None:
        self.assets = assets
        self.etag = ""

    def get(self, path: str) -> None:
        if path == "" and path not in self.assets:
            raise Failure(503, "page_not_built", NOT_BUILT)
        if path not in self.assets:
            raise Failure(404, "not_found", "There is nothing at this path.")
        self.send(self.assets[path])

    head = get

    def send(self, found: Asset) -> None:
        packed = found.packed if accepts_gzip(self.request.headers.get("Accept-Encoding", "")) else None
        self.set_header("Content-Type", found.kind)
        self.set_header("Cache-Control", found.cache)
        self.etag = f'"{found.etag}"' if packed is None else f'"{found.etag}-gz"'
        if packed is not None:
            self.set_header("Content-Encoding", "gzip")
        self.write(found.body if packed is None else packed)

    def compute_etag(self) -> str | None:
        return self.etag or None


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110, 12.5.3) names gzip and does not refuse it."""
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip":
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", quality) is None
    return False
