"""The real proxies with the files of deploy/, on free ports."""

from __future__ import annotations

import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tornado.testing import bind_unused_port

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SHIPPED = 75
"""Seconds after which a proxy cuts a connection where nothing happens, as deploy/ has it."""
IDLE = 2
"""The same, for a test that awaits it; a busy machine may keep a service from saying anything for so long."""
PATIENCE = 1000
"""Looks, 20 ms apart, for a proxy that is starting."""


class Proxy(ABC):
    """One of them: it listens at `url`, with the certificate given, and asks the service at another URL."""

    program: str
    package: str
    file: str
    part: tuple[str, str]
    """What its file says to change for a part of a site."""

    def __init__(self, folder: Path, service: str, pair: tuple[Path, Path], idle: int = SHIPPED) -> None:
        self.folder, self.service, self.pair, self.idle = folder, urlsplit(service), pair, idle
        self.port, self.plain = free_port(), free_port()
        self.url = f"https://localhost:{self.port}{self.service.path}"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def found(cls) -> str | None:
        return shutil.which(cls.program, path=PATH)

    @property
    def text(self) -> str:
        """The file that is shipped, changed where it has to be for the test."""
        text = (ROOT / "deploy" / self.file).read_text(encoding="utf-8")
        changes = {"127.0.0.1:8844": self.service.netloc, f"{SHIPPED}s": f"{self.idle}s", **self.changes()}
        part = self.part if self.service.path != "/" else ("", "")
        for old, new in [part, *changes.items()]:
            assert old in text, f"deploy/{self.file} does not say {old}"
            text = text.replace(old, new)
        return text

    @abstractmethod
    def changes(self) -> Mapping[str, str]:
        """Texts of the file, and what stands there in the test."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Writes its files; the command line that runs it in the foreground."""

    def start(self) -> None:
        """Return when it accepts connections."""
        with (self.folder / "log").open("ab") as log:
            environment = {"PATH": PATH, "HOME": str(self.folder)}
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        for _ in range(PATIENCE):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                pass
            else:
                return
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Nginx(Proxy):
    program, package, file = "nginx", "nginx-light", "nginx.conf"
    part = ("location / {", "location /monitor/ {")

    def changes(self) -> Mapping[str, str]:
        return {
            "listen 80;": f"listen {self.plain};",
            "listen [::]:80;": "",
            "listen 443 ssl": f"listen {self.port} ssl",
            "listen [::]:443 ssl http2;": "",
            "monitor.example.org": "localhost",
            "/etc/ssl/certs/monitor.pem": str(self.pair[0]),
            "/etc/ssl/private/monitor.key": str(self.pair[1]),
        }

    def command(self) -> Sequence[str]:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        (self.folder / "monitor.conf").write_text(self.text)
        (self.folder / "main.conf").write_text(
            f"user root; daemon off; pid {self.folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {folders} include {self.folder}/monitor.conf; }}\n"
        )
        return (self.program, "-e", "stderr", "-c", str(self.folder / "main.conf"))


class Caddy(Proxy):
    program, package, file = "caddy", "caddy", "Caddyfile"
    part = ("reverse_proxy 127.0.0.1:8844 {", "reverse_proxy /monitor/* 127.0.0.1:8844 {")

    def changes(self) -> Mapping[str, str]:
        site = f"https://localhost:{self.port}"
        return {"monitor.example.org {": f"{site} {{\n\ttls {self.pair[0]} {self.pair[1]}"}

    def command(self) -> Sequence[str]:
        alone = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        (self.folder / "Caddyfile").write_text(alone + self.text)
        return (self.program, "run", "--config", "Caddyfile", "--adapter", "caddyfile")


class Haproxy(Proxy):
    program, package, file = "haproxy", "haproxy", "haproxy.cfg"
    part = ("default_backend monitor", "use_backend monitor if { path_beg /monitor/ }")

    def changes(self) -> Mapping[str, str]:
        return {
            "bind :80\n": f"bind 127.0.0.1:{self.plain}\n",
            "bind :443": f"bind 127.0.0.1:{self.port}",
            "/etc/haproxy/monitor.pem": str(self.folder / "monitor.pem"),
            "monitor.example.org": "localhost",
        }

    def command(self) -> Sequence[str]:
        (self.folder / "monitor.pem").write_bytes(b"".join(path.read_bytes() for path in self.pair))
        (self.folder / "haproxy.cfg").write_text(self.text)
        return (self.program, "-db", "-f", "haproxy.cfg")


PROXIES: dict[str, type[Proxy]] = {"nginx": Nginx, "caddy": Caddy, "haproxy": Haproxy}


@contextmanager
def behind(
    folder: Path, url: str, pair: tuple[Path, Path], idle: int = SHIPPED
) -> Iterator[dict[str, Proxy]]:
    """Those that this machine has, before the service at a URL, with a certificate and its key; they wait so
    many seconds for a sign of life."""
    with ExitStack() as stack:
        started = {}
        for name, kind in PROXIES.items():
            if kind.found():
                started[name] = kind(folder / name, url, pair, idle)
                stack.callback(started[name].stop)
                started[name].start()
        yield started


def free_port() -> int:
    unused, port = bind_unused_port()
    unused.close()
    return port
