"""`monitor certificate self-signed`: what it makes, and what it refuses to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from monitor.__main__ import main

MAKE = ("certificate", "self-signed", "--directory")


def names(certificate: Path) -> str:
    """Whom it is for, as openssl says."""
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_pair_that_clients_accept_is_made_and_said_how_to_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    assert main([*MAKE, str(folder), "--host", "lab.example", "--host", "192.0.2.7", "--days", "30"]) == 0
    certificate, key = folder / "monitor.crt", folder / "monitor.key"
    assert "DNS:lab.example, IP Address:192.0.2.7, DNS:localhost, IP Address:127.0.0.1" in names(certificate)
    assert (key.stat().st_mode & 0o777, certificate.stat().st_mode & 0o777) == (0o600, 0o644)
    said = capsys.readouterr().out
    assert f"    certificate: {certificate}\n    key: {key}\n" in said


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "monitor.key").write_text("mine")
    assert main([*MAKE, str(tmp_path)]) == 1
    assert "monitor.key is there already: remove it first" in capsys.readouterr().err
    assert (tmp_path / "monitor.key").read_text() == "mine"
    assert not (tmp_path / "monitor.crt").exists()


def test_without_openssl_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*MAKE, str(tmp_path)]) == 1
    assert "openssl is not installed: apt-get install openssl" in capsys.readouterr().err


def test_what_openssl_says_is_passed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openssl").write_text("#!/bin/sh\necho 'no curve' >&2\nexit 3\n")
    (tmp_path / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*MAKE, str(tmp_path / "new")]) == 1
    assert "openssl failed:\nno curve" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "said"),
    [(("--host", "a b"), "expected a host name or an IP address"), (("--host", "a,IP:::"), "expected a host"),
     (("--days", "0"), "expected a number from 1 to 36500"), (("--days", "x"), "expected a number")],
)  # fmt: skip
def test_what_it_cannot_make_is_said(
    option: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*MAKE, "/nowhere", *option])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err
