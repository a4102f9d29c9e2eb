"""Where a broker is, as a URL says it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from systems.forms import Form, host_form, invisible

_on_this_machine = frozenset({"localhost", "127.0.0.1", "::1"})


class Address(NamedTuple):
    """Servers of one broker, what stands behind them in the URL, and the login that was part of it."""

    tls: bool
    servers: tuple[tuple[str, int], ...]
    path: str = ""
    username: str | None = None
    password: str | None = None

    @property
    def local(self) -> bool:
        """Whether all of it is on this machine."""
        return all(host in _on_this_machine for host, _ in self.servers)

    @property
    def shown(self) -> str:
        """The servers, for people."""
        return ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.servers)


class Schemes(NamedTuple):
    """What the URLs of a kind of broker begin with (and whether that means TLS), and the ports that they mean."""

    tls: Mapping[str, bool]
    port: int
    tls_port: int
    several: bool = False
    path: str = ""
    """What may stand behind the servers, for people; `""`: nothing may."""

    @property
    def example(self) -> str:
        """A URL as it should be."""
        scheme = next(scheme for scheme, tls in self.tls.items() if tls)
        return f"{scheme}://broker.example.com:{self.tls_port}"


def address_of(text: str, schemes: Schemes) -> Address | str:
    """What a URL says, or what is wrong with it, as the rest of a sentence. Nothing of the text is repeated."""
    if (wrong := invisible(text)) is not None:
        return wrong.words
    scheme, sign, rest = text.partition("://")
    if not sign or scheme not in schemes.tls:
        return f"does not begin with {' or '.join(f'{one}://' for one in schemes.tls)}"
    tls = schemes.tls[scheme]
    netloc, _, path = rest.partition("/")
    if "?" in rest or "#" in rest:
        return "has parameters: write them as properties of the system"
    if path and not schemes.path:
        return "has a path, which means nothing here"
    login, _, hosts = netloc.rpartition("@")
    username, _, password = login.partition(":")
    servers: list[tuple[str, int]] = []
    for one in hosts.split(","):
        server = _server(one, schemes.tls_port if tls else schemes.port)
        if isinstance(server, str):
            return server
        servers.append(server)
    if len(servers) > 1 and not schemes.several:
        return "names several servers, and only one is asked"
    return Address(tls, tuple(servers), unquote(path), unquote(username) or None, unquote(password) or None)


def _server(text: str, port: int) -> tuple[str, int] | str:
    host, sign, number = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not sign:
        host, number = text, str(port)
    if not host:
        return "names no server"
    if not (number.isascii() and number.isdigit() and 0 < int(number) < 65536):
        return "has a port that is none"
    wrong: Form | None = host_form(host)
    return f"names a server that {wrong.words}" if wrong else (host.strip("[]"), int(number))
