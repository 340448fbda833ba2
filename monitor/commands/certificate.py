"""`monitor certificate`: a certificate that nobody vouches for, for a lab, made by the program openssl."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path

from monitor.commands import Commands, failed

ALWAYS = ("localhost", "127.0.0.1", "::1")
NAMES = ("monitor.crt", "monitor.key")


class CertificateError(Exception):
    """None was made; the message says why, and what to do."""


def add(commands: Commands) -> None:
    command = commands.add_parser("certificate", help="make what TLS needs")
    kinds = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lab = kinds.add_parser("self-signed", help="a certificate that nobody vouches for, and its key")
    host = socket.gethostname()
    lab.add_argument(
        "--host", type=host_name, action="append", default=[], metavar="NAME",
        help=f"a host name or IP address that browsers ask for; {host} if not given, and always localhost",
    )  # fmt: skip
    lab.add_argument("--directory", type=Path, default=Path(), help="where to; the present one if not given")
    lab.add_argument("--days", type=day_count, default=365, help="how long it holds; 365 if not given")
    lab.set_defaults(run=self_signed)


def host_name(text: str) -> str:
    from monitor.config.address import is_host, is_literal

    if not (is_host(text) or is_literal(text)):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a host name or an IP address")
    return text


def day_count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 36500):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1 to 36500")
    return int(text)


def self_signed(options: argparse.Namespace) -> int:
    certificate, key = ((options.directory / each).absolute() for each in NAMES)
    hosts = list(dict.fromkeys([*(options.host or [socket.gethostname()]), *ALWAYS]))
    try:
        make(certificate, key, hosts, options.days)
    except (CertificateError, OSError) as error:
        return failed(error)
    sys.stdout.write(
        f"made {certificate} for {', '.join(hosts)}\nin config.yaml:\n\nserver:\n  tls:\n"
        f"    certificate: {certificate}\n    key: {key}\n\n"
        "Browsers warn of it, as nobody vouches for it: compare the fingerprint that they show with\n"
        f"{fingerprint(certificate)}\n"
    )
    return 0


def make(certificate: Path, key: Path, hosts: list[str], days: int) -> None:
    """Raises CertificateError and OSError."""
    for path in (certificate, key):
        if path.exists():
            raise CertificateError(f"{path} is there already: remove it first, or choose another --directory")
    certificate.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o077)  # The key is nobody else's to read, from its first byte.
    try:
        sign(certificate, key, hosts, days)
    except CertificateError:
        key.unlink(missing_ok=True)
        raise
    finally:
        os.umask(before)
    certificate.chmod(0o644)


def sign(certificate: Path, key: Path, hosts: list[str], days: int) -> None:
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-sha256", "-days", str(days), "-subj", f"/CN={hosts[0][:64]}"),
        *("-addext", "subjectAltName=" + ",".join(map(alternative, hosts))),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=serverAuth"),
        *("-keyout", str(key), "-out", str(certificate)),
    )


def alternative(host: str) -> str:
    """A name as openssl wants it in subjectAltName."""
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def run(*command: str) -> None:
    """Run a program to its end.  Raises CertificateError with what it said, where it fails or is missing."""
    reading, writing = os.pipe()
    try:
        pid = os.posix_spawnp(
            command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 2)]
        )
    except FileNotFoundError:
        os.close(reading)
        raise CertificateError("openssl is not installed: apt-get install openssl") from None
    finally:
        os.close(writing)
    with os.fdopen(reading, errors="replace") as said:
        words = said.read().strip()
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise CertificateError(f"openssl failed:\n{words}")


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a certificate, as browsers show it."""
    import hashlib

    from monitor.server.certificate import first_certificate

    digest = hashlib.sha256(first_certificate(certificate.read_text("ascii"))).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
