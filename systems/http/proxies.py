"""Servers that stand between: tunnels through HTTP (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929).

Names are looked up by the proxy, which may know more of them than this machine does.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from pipeline.secret import Secret
from systems.http.exchange import HttpError, revealed
from systems.http.logins import basic

_PORTS: Final = {"http": 80, "socks5": 1080, "socks5h": 1080}
# RFC 1928 section 6.
_REPLIES: Final = {
    1: "it is out of order",
    2: "its rules forbid it",
    3: "the network cannot be reached",
    4: "the server cannot be reached",
    5: "the server refuses connections",
    6: "it takes too long",
    7: "it does not know the command",
    8: "it does not know this kind of address",
}
_NO_LOGIN: Final = 0
_PASSWORD: Final = 2


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and who asks it."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: Secret = field(default_factory=lambda: Secret(""))

    @property
    def authorization(self) -> str | None:
        """The value of `Proxy-Authorization`."""
        return None if self.user is None else basic(self.user, self.password.reveal())


def proxy_of(value: str | Secret) -> Proxy:
    """The proxy of a URL; ValueError, without the URL, for what is none."""
    try:
        parts = urlsplit(revealed(value))
        port = parts.port
    except ValueError:
        raise ValueError("has a port or an address that is none") from None
    if parts.scheme not in _PORTS:
        raise ValueError("begins neither with http:// nor with socks5://")
    if not parts.hostname or port == 0:
        raise ValueError("names no server")
    user = None if parts.username is None else unquote(parts.username)
    password = Secret(unquote(parts.password or ""))
    if len((user or "").encode()) > 255 or len(password.reveal().encode()) > 255:
        raise ValueError("has a login that is too long")  # RFC 1929: a length is one byte
    return Proxy(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], user, password)


def tunnel(reached: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    """Let the proxy connect this socket to a server; HttpError if it does not."""
    if proxy.scheme == "http":
        _connect(reached, proxy, host, port)
    else:
        _socks5(reached, proxy, host, port)


def _connect(reached: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    place = f"[{host}]:{port}" if ":" in host else f"{_name(host)}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    reached.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    response = HTTPResponse(reached, method="CONNECT")
    try:
        response.begin()
    except (HTTPException, ValueError) as error:
        raise HttpError(f"the proxy {proxy.host} does not speak HTTP: {type(error).__name__}") from None
    finally:
        response.close()
    if not 200 <= response.status < 300:
        raise HttpError(f"the proxy {proxy.host} does not lead to {host}: it answers {response.status}")


def _socks5(reached: socket.socket, proxy: Proxy, host: str, port: int) -> None:
    ways = [_NO_LOGIN] if proxy.user is None else [_NO_LOGIN, _PASSWORD]
    reached.sendall(bytes([5, len(ways), *ways]))
    version, way = _exactly(reached, 2, proxy)
    if version != 5:
        raise HttpError(f"the proxy {proxy.host} does not speak SOCKS5")
    if way not in ways:
        raise HttpError(f"the proxy {proxy.host} wants another login")
    if way == _PASSWORD:
        user, password = (proxy.user or "").encode(), proxy.password.reveal().encode()
        reached.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if _exactly(reached, 2, proxy)[1] != 0:
            raise HttpError(f"the proxy {proxy.host} refuses the login")
    reached.sendall(b"\x05\x01\x00" + _address(host) + port.to_bytes(2))
    _, reply, _, kind = _exactly(reached, 4, proxy)
    if reply != 0:
        why = _REPLIES.get(reply, f"it answers {reply}")
        raise HttpError(f"the proxy {proxy.host} does not lead to {host}: {why}")
    length = {1: 4, 4: 16}.get(kind) or _exactly(reached, 1, proxy)[0]
    _exactly(reached, length + 2, proxy)


def _address(host: str) -> bytes:
    try:
        found: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        name = _name(host).encode()
        return bytes([3, len(name)]) + name
    return bytes([1 if found.version == 4 else 4]) + found.packed


def _name(host: str) -> str:
    """A name as it goes on the wire."""
    try:
        name = host.encode("ascii" if host.isascii() else "idna").decode()
    except UnicodeError:
        name = ""
    if not name or len(name) > 255:
        raise HttpError("the URL has a name that no server can have")
    return name


def _exactly(reached: socket.socket, length: int, proxy: Proxy) -> bytes:
    found = b""
    while len(found) < length:
        more = reached.recv(length - len(found))
        if not more:
            raise HttpError(f"the proxy {proxy.host} hangs up")
        found += more
    return found
