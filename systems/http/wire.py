"""Connections to services: to addresses that were checked, through proxies, with TLS, and kept for the next request.

A name is looked up once, every address of it is checked, and what was checked is what is connected to. Behind a proxy
the proxy looks names up; addresses, and names of this machine, are checked here all the same.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from threading import Lock
from typing import Any, Final
from urllib.parse import SplitResult, urlunsplit

from systems.disk import reason
from systems.http.addresses import denied
from systems.http.exchange import HttpError, Request, Settings, origin, target
from systems.http.proxies import Proxy, proxy_of, tunnel

Resolve = Callable[[str, int], Sequence[str]]

# Servers close what is idle after some seconds: 5 (Apache, uvicorn), 60 and more (nginx, load balancers).
_LONGEST_IDLE: Final = 4.0
_MOST_IDLE: Final = 10


def addresses_of(host: str, port: int) -> Sequence[str]:
    """All addresses that a name has, as the machine looks them up."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Response:
    """An answer as it comes in. Closed when all of it was read, its connection serves the next request."""

    def __init__(self, wire: Wire, key: tuple[str, str, int], connection: HTTPConnection, inner: HTTPResponse) -> None:
        """`key` is the server of the connection."""
        self._wire = wire
        self._key = key
        self._connection = connection
        self._inner = inner
        self.status = inner.status

    def headers(self, name: str) -> Sequence[str]:
        """The values of a header, in their order."""
        return self._inner.headers.get_all(name, [])

    def names(self) -> Sequence[str]:
        """The names of all headers."""
        return self._inner.headers.keys()

    def read(self, most: int) -> bytes:
        """The next part of its content; nothing at its end. OSError or HTTPException if it breaks off."""
        portion = self._inner.read(most)
        # To who reads bit by bit a connection that is cut looks like an end.
        if not portion and self._inner.length:
            raise HTTPException("it is cut")
        return portion

    def close(self) -> None:
        """It is not read any further."""
        whole = self._inner.isclosed() and not self._inner.will_close
        self._inner.close()
        self._wire.back(self._key, self._connection, whole=whole)


class Wire:
    """What requests go over."""

    def __init__(
        self, settings: Settings, resolve: Resolve = addresses_of, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is connected yet. `clock` counts seconds."""
        self._settings = settings
        self._resolve = resolve
        self._clock = clock
        self._lock = Lock()
        self._keeps = False
        self._idle: dict[tuple[str, str, int], list[tuple[HTTPConnection, float]]] = {}

    def open(self) -> None:
        """From now on connections are kept."""
        self._keeps = True

    def close(self) -> None:
        """Close what is kept, and keep no more."""
        with self._lock:
            self._keeps = False
            kept, self._idle = self._idle, {}
        for connections in kept.values():
            for connection, _ in connections:
                connection.close()

    def send(self, parts: SplitResult, request: Request, headers: Mapping[str, str]) -> Response:
        """Ask, and get the answer with its head read; HttpError if there is none."""
        key = origin(parts)
        connection = self._kept(key)
        while True:
            fresh = connection is None
            connection = connection or self._connection(parts)
            sent = False
            try:
                if connection.sock is None:
                    connection.connect()
                sent = True
                return self._sent(key, connection, parts, request, headers)
            except (ConnectionError, HTTPException) as error:
                connection.close()
                # A connection that was kept can come to its end just now: that says nothing of the server.
                if fresh or not request.repeatable:
                    raise _told(parts, error, sent=sent) from None
                connection = None
            except (OSError, ValueError) as error:
                connection.close()
                raise _told(parts, error, sent=sent) from None
            except BaseException:
                connection.close()
                raise

    def _sent(
        self,
        key: tuple[str, str, int],
        connection: HTTPConnection,
        parts: SplitResult,
        request: Request,
        headers: Mapping[str, str],
    ) -> Response:
        path, proxy = target(parts), self._proxies.get(parts.scheme)
        if proxy is not None and self._asks_proxy(parts, proxy):
            # RFC 9112 section 3.2.2: a proxy gets the whole URL.
            path = urlunsplit(("http", parts.netloc.rpartition("@")[2], path, "", ""))
            if proxy.authorization is not None:
                headers = {**headers, "Proxy-Authorization": proxy.authorization}
        connection.request(request.method, path, request.body, dict(headers))
        return Response(self, key, connection, connection.getresponse())

    def back(self, key: tuple[str, str, int], connection: HTTPConnection, *, whole: bool) -> None:
        """A connection that is not used any more; if its last answer was read as a `whole`, it can be used again."""
        if whole and connection.sock is not None:
            with self._lock:
                idle = self._idle.setdefault(key, [])
                if self._keeps and len(idle) < _MOST_IDLE:
                    idle.append((connection, self._clock()))
                    return
        connection.close()

    def _kept(self, key: tuple[str, str, int]) -> HTTPConnection | None:
        """A connection to this server that nothing was heard of since its last answer."""
        while True:
            with self._lock:
                idle = self._idle.get(key)
                if not idle:
                    return None
                connection, since = idle.pop()
            if self._clock() - since < _LONGEST_IDLE and not _is_readable(connection):
                return connection
            connection.close()

    def _asks_proxy(self, parts: SplitResult, proxy: Proxy) -> bool:
        return parts.scheme == "http" and proxy.scheme == "http"

    @cached_property
    def _proxies(self) -> Mapping[str, Proxy]:
        return {scheme: proxy_of(value) for scheme, value in self._settings.proxies.items()}

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        # With a port: without one it would be looked for in the host, where an address of IPv6 has colons.
        scheme, host, port = origin(parts)
        if scheme == "http":
            return _Plain(host, port, lambda host, port: self._reach("http", host, port))
        return _Secure(host, port, lambda host, port: self._reach("https", host, port), self._tls)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._settings.authorities)
        if not self._settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _reach(self, scheme: str, host: str, port: int) -> socket.socket:
        """Connect to a server, by itself or through a proxy."""
        proxy = self._proxies.get(scheme)
        if proxy is None:
            addresses = list(dict.fromkeys(self._resolve(host, port)))
            self._allow(host, addresses)
            return self._first(addresses, port)
        self._allow(host, _written(host))
        try:
            reached = self._first(list(dict.fromkeys(self._resolve(proxy.host, proxy.port))), proxy.port)
        except OSError as error:
            raise HttpError(f"the proxy {proxy.host} cannot be reached: {why(error)}") from None
        if scheme == "http" and proxy.scheme == "http":
            return reached
        try:
            tunnel(reached, proxy, host, port)
        except OSError as error:
            reached.close()
            raise HttpError(f"the proxy {proxy.host} breaks off: {why(error)}") from None
        except BaseException:
            reached.close()
            raise
        return reached

    def _allow(self, host: str, addresses: Sequence[str]) -> None:
        """HttpError for an address where a project has no business."""
        if self._settings.allow_private:
            return
        for address in addresses:
            if what := denied(address):
                named = "" if address == host else f"{address}, "
                raise HttpError(f"{host} is {named}{what}: the system needs `allow_private` to reach it")

    def _first(self, addresses: Sequence[str], port: int) -> socket.socket:
        failed: OSError = OSError("it has no address")
        for address in addresses:
            try:
                reached = socket.create_connection((address, port), self._settings.connect_within)
            except OSError as error:
                failed = error
            else:
                reached.settimeout(self._settings.answer_within)
                # A request is written as head and body, and the body is not to wait for an answer to the head.
                reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return reached
        raise failed


class _Plain(HTTPConnection):
    """Reaches servers in our way."""

    def __init__(self, host: str, port: int, reach: Callable[[str, int], socket.socket]) -> None:
        super().__init__(host, port)
        self._reach = reach

    def connect(self) -> None:
        """To an address that was checked."""
        self.sock = self._reach(self.host, self.port)


class _Secure(HTTPSConnection):
    """The same, with TLS for the name that was asked for."""

    def __init__(
        self, host: str, port: int, reach: Callable[[str, int], socket.socket], context: ssl.SSLContext
    ) -> None:
        super().__init__(host, port, context=context)
        self._reach = reach
        self._tls = context

    def connect(self) -> None:
        """To an address that was checked."""
        plain = self._reach(self.host, self.port)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _written(host: str) -> Sequence[str]:
    """The addresses that a host is without anybody's help: one in numbers, however they are written; this machine."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        return ["127.0.0.1"]
    with suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(each[4][0]) for each in found]
    return []


def _is_readable(connection: HTTPConnection) -> bool:
    """Whether something came, which can only be the end."""
    try:
        waiting = select.poll()
        waiting.register(connection.sock, select.POLLIN)
        return bool(waiting.poll(0))
    except (OSError, ValueError):
        return True


def _told(parts: SplitResult, error: Exception, *, sent: bool) -> HttpError:
    if isinstance(error, RemoteDisconnected):
        return HttpError(f"{parts.hostname} hangs up before it answers", sent=sent)
    if isinstance(error, OSError):
        return HttpError(f"{parts.hostname} cannot be reached: {why(error)}", sent=sent)
    return HttpError(f"{parts.hostname} does not speak HTTP: {type(error).__name__}", sent=sent)


def why(error: Any) -> str:  # noqa: ANN401 - any of the faults of sockets
    """What a fault of the network is, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "there is no such name"
    return "it takes too long" if isinstance(error, TimeoutError) else reason(error)
