"""A real OpenLDAP for tests, in a folder of its own, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme

from tests.brokers import PATIENCE, free_ports, program

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3  # type: ignore[import-untyped]

# Ports are free when they are chosen and may be taken a moment later.
MOST_STARTS: Final = 5
BASE: Final = "dc=example,dc=com"
PASSWORD: Final = "s3cr3t-pass"
ADMIN: Final = f"cn=admin,{BASE}"
READER: Final = f"cn=reader,{BASE}"
# In it are schema and modules.
HOME: Final = Path(os.environ.get("MAILWEIR_MAIL_SERVERS") or Path(__file__).parents[1] / ".mail-servers")


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
    return path if (HOME / "directory").is_dir() else None


@contextmanager
def running(folder: Path) -> Iterator[Directory]:
    """A server with the entries above those that tests add."""
    root, path = HOME / "directory", server_program()
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
    for _ in range(MOST_STARTS):
        port, tls_port = free_ports(1), free_ports(1)
        there = Directory(port, tls_port, folder / "ca.pem")
        urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [path, "-d", "0", "-h", urls, "-f", str(folder / "slapd.conf")], stdout=log, stderr=log
            )
        if _answers(there, server):
            break
    else:
        raise RuntimeError((folder / "log").read_text(errors="replace"))
    try:
        classes = ["organizationalRole", "simpleSecurityObject"]
        there.add(
            ("", ["dcObject", "organization"], {"o": "Example"}),
            ("cn=reader", classes, {"userPassword": PASSWORD}),
            ("cn=small", classes, {"userPassword": PASSWORD}),
            ("ou=people", ["organizationalUnit"], {}),
        )
        yield there
    finally:
        server.terminate()
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(there: Directory, server: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", there.port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False
