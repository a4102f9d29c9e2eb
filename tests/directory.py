"""A real OpenLDAP for tests, in a folder of its own, on loopback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme

from tests.servers import free_ports, listens, program, started, unpacked

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]

BASE: Final = "dc=example,dc=com"
PASSWORD: Final = "s3cr3t-pass"
ADMIN: Final = f"cn=admin,{BASE}"
READER: Final = f"cn=reader,{BASE}"


@dataclass(frozen=True)
class Directory:
    """A server that is running. `reader` may read no more than 20 entries at a time, in pages as many as it likes."""

    port: int
    tls_port: int
    authority: Path

    def connect(self) -> Any:
        """A login that may write."""
        server = ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)
        return ldap3.Connection(server, ADMIN, PASSWORD, auto_bind=True, raise_exceptions=True, check_names=False)

    def add(self, *entries: tuple[str, Sequence[str], dict[str, Any]]) -> None:
        """Entries by their names, classes and attributes."""
        connection = self.connect()
        try:
            for dn, classes, attributes in entries:
                connection.add(f"{dn},{BASE}" if dn else BASE, list(classes), attributes)
        finally:
            connection.unbind()

    def system(self, **properties: Any) -> dict[str, Any]:
        """It as a system of a project."""
        whole = {"_id": "directory", "type": "system:ldap", "host": "localhost", "port": self.port, "tls": "off"}
        return {**whole, "username": READER, "password": PASSWORD, **properties}


def person(name: str, **attributes: Any) -> tuple[str, Sequence[str], dict[str, Any]]:
    """An entry for somebody."""
    return f"cn={name},ou=people", ["inetOrgPerson"], {"sn": name, **attributes}


def server_program() -> str | None:
    """The server that `.ci/mail-servers` unpacks: that of the machine may have its schema anywhere."""
    path = program("slapd")
    return path if (unpacked() / "directory").is_dir() else None


@contextmanager
def running(folder: Path) -> Iterator[Directory]:
    """A server with the entries above those that tests add."""
    root, path = unpacked() / "directory", server_program()
    assert path is not None
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "db").mkdir()
    schemas = [f"include {root}/etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson")]
    (folder / "slapd.conf").write_text(
        "\n".join(
            [
                *schemas,
                f"modulepath {root}/usr/lib/ldap",
                "moduleload back_mdb",
                f"TLSCertificateFile {folder}/cert.pem",
                f"TLSCertificateKeyFile {folder}/key.pem",
                "database mdb",
                f'suffix "{BASE}"',
                f'rootdn "{ADMIN}"',
                f"rootpw {PASSWORD}",
                f"directory {folder}/db",
                "maxsize 104857600",
                "dbnosync",
                f'limits dn.exact="{READER}" size.soft=20 size.hard=20 size.prtotal=unlimited',
                f'limits dn.exact="cn=small,{BASE}" size=2',
                f'access to attrs=userPassword by anonymous auth by dn.exact="{READER}" read',
                "access to * by users read by anonymous auth",
                "",
            ]
        )
    )

    def make() -> tuple[Directory, list[str]]:
        there = Directory(free_ports(), free_ports(), folder / "ca.pem")
        urls = f"ldap://127.0.0.1:{there.port} ldaps://127.0.0.1:{there.tls_port}"
        return there, [path, "-d", "0", "-h", urls, "-f", str(folder / "slapd.conf")]

    with started(folder, make, lambda there: listens(there.port)) as there:
        classes = ["organizationalRole", "simpleSecurityObject"]
        there.add(
            ("", ["dcObject", "organization"], {"o": "Example"}),
            ("cn=reader", classes, {"userPassword": PASSWORD}),
            ("cn=small", classes, {"userPassword": PASSWORD}),
            ("ou=people", ["organizationalUnit"], {}),
        )
        yield there
