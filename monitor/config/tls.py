"""Settings of encrypted connections."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from .address import Address
from .problems import conflict, expected
from .section import Form, Section, Takes


def read_file_path(text: str) -> str:
    if text and not Path(text).is_absolute():
        raise expected("the absolute path of a file, or an empty text for none")
    return text


def read_optional_address(text: str) -> str:
    try:
        return text and str(Address.parse(text))
    except ValueError:
        raise expected("an address and a port such as 0.0.0.0:80, or an empty text for none") from None


PemFile = Annotated[str, AfterValidator(read_file_path), Form("absolute path, or empty"), Takes.RESTART]


class Tls(Section):
    """Encrypted connections, https and wss, from TLS 1.2 on.  The files are PEM; when they change, new
    connections have the new ones."""

    certificate: PemFile = ""
    """The certificate of this service, followed by those between it and its authority.  Empty speaks plain
    HTTP."""
    key: PemFile = ""
    """Its private key, without a password, which only the service and its group may read."""
    client_ca: PemFile = ""
    """Authorities of which every viewer must show a certificate.  Empty asks for none."""
    redirect: Annotated[
        str, AfterValidator(read_optional_address), Form("host:port, or empty"), Takes.RESTART
    ] = ""
    """Where plain HTTP is answered with the way to the encrypted page, such as `0.0.0.0:80`."""

    @model_validator(mode="after")
    def check_pair(self) -> Self:
        if bool(self.key) != bool(self.certificate):
            raise conflict(self, "key", "certificate", "both key and certificate ({other}), or neither")
        return self

    @model_validator(mode="after")
    def check_use(self) -> Self:
        for name in ("client_ca", "redirect"):
            if getattr(self, name) and not self.certificate:
                raise conflict(self, name, "certificate", "nothing while there is no certificate")
        return self
