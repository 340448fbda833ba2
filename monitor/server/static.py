"""The built page.  Files are read and packed once, at the start: no path of a request reaches the disk."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from monitor.access import Permission
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
    """Assets by path below the folder.  None where nothing is built."""
    found = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return {name: asset(name, path.read_bytes()) for name, path in found.items()}


def page(assets: dict[str, Asset], name: str) -> dict[str, Asset]:
    """Takes a page out of the assets: a table with it alone, under the empty path."""
    found = assets.pop(name, None)
    return {"": found} if found else {}


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
    """Serves one table of assets; Tornado answers 304 to a client that has the ETag already.

    Everybody may read them: they are the same in every installation, and the page to log in needs them.
    """

    needs: ClassVar[Permission | None] = Permission.NOTHING

    def initialize(self, assets: Mapping[str, Asset]) -> None:
        self.assets = assets
        self.etag = ""

    def get(self, *path: str) -> None:
        name = path[0]
        if name not in self.assets:
            raise Failure(404, "not_found", "There is nothing at this path.")
        self.send(self.assets[name])

    head = get

    def send_page(self) -> None:
        """The page that the table has under the empty path."""
        if "" not in self.assets:
            raise Failure(503, "page_not_built", NOT_BUILT)
        self.send(self.assets[""])

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


class Page(Static):
    """The page of the boards; whoever may not see it gets the page to log in, under the same address."""

    needs = Permission.VIEW

    def initialize(self, assets: Mapping[str, Asset], login: Asset | None = None) -> None:
        super().initialize(assets)
        self.login = login

    def get(self, *_path: str) -> None:
        self.send_page()

    head = get

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == 401 and self.login is not None:
            self.send(self.login)
            self.set_header("Cache-Control", "no-store")
            self.finish()
        else:
            super().write_error(status_code, **kwargs)


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110, 12.5.3) names gzip and does not refuse it."""
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip":
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", quality) is None
    return False
