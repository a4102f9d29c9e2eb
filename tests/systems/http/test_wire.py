"""Connections, kept and through proxies."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

import pytest
import trustme

from pipeline.secret import Secret
from systems.http.client import Http, HttpError, Request, Settings
from tests.web import answer, body_of, serving


def asked(system: Http, request: Request | None = None) -> bytes:
    """All of an answer."""
    with system.ask(request or Request("x")) as found:
        return found.content()


def test_a_connection_serves_many_requests() -> None:
    """From the opening of the system to its end; none that a server closes, or that was not read to its end."""
    ports: list[int] = []

    def serve(handler: BaseHTTPRequestHandler) -> None:
        ports.append(handler.client_address[1])
        body_of(handler)
        closing: dict[str, Any] = {"Connection": "close"} if handler.path == "/last" else {}
        answer(handler, b"x" * 100_000, **closing)

    async def run(url: str) -> None:
        system = Http("api", Settings(f"{url}/%s", allow_private=True))
        async with system:
            for path in ("a", "b", "last", "c"):
                asked(system, Request(path, "POST", body=b"{}"))
            with system.ask(Request("half")):
                pass
            asked(system)
        asked(system)

    with serving(serve, keeps=True) as url:
        asyncio.run(run(url))
    assert len(set(ports[:3])) == 1
    assert len({ports[0], ports[3], *ports[5:]}) == 4
    assert ports[4] == ports[3]


@contextmanager
def hanging_up(answers: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives one answer on each connection, which it says it keeps and closes at the next request."""
    seen: list[bytes] = []
    rest = iter(answers)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(60)
            seen.append(self.request.recv(65_536))
            self.request.sendall(next(rest, b""))
            seen.append(self.request.recv(65_536))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


def test_what_does_not_speak_http_is_told() -> None:
    """Without a word of what it said."""
    with (
        hanging_up([b"SSH-2.0-OpenSSH_10\r\n"]) as (url, _),
        pytest.raises(HttpError, match="127.0.0.1 does not speak HTTP: BadStatusLine$"),
    ):
        asked(Http("api", Settings(f"{url}/%s", allow_private=True)))


@pytest.mark.parametrize(("method", "goes"), [("GET", True), ("POST", False)])
def test_only_what_may_come_twice_is_sent_anew(method: str, goes: bool) -> None:
    """A kept connection that ends at a request may have brought it, and what became of it nobody knows."""
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def run(url: str) -> bytes:
        system = Http("api", Settings(f"{url}/%s", allow_private=True))
        async with system:
            asked(system)
            return asked(system, Request("y", method))

    with hanging_up([good, good]) as (url, seen):
        if goes:
            assert asyncio.run(run(url)) == b"ok"
            assert [each.split(b" ")[0] for each in seen if each] == [b"GET", b"GET", b"GET"]
        else:
            with pytest.raises(HttpError, match="hangs up before it answers|cannot be reached"):
                asyncio.run(run(url))
            assert [each.split(b" ")[0] for each in seen if each] == [b"GET", b"POST"]


class Between(socketserver.ThreadingTCPServer):
    """A proxy that speaks SOCKS5, makes tunnels, and passes requests on; it leads every name to this machine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        """With a login it wants to see that."""
        super().__init__(("127.0.0.1", 0), _Between)
        self.login = login
        self.asked: list[str] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Between(socketserver.StreamRequestHandler):
    server: Between

    def handle(self) -> None:
        self.request.settimeout(60)
        first = self.rfile.peek(1)[:1]  # type: ignore[attr-defined]  # it is buffered
        if first == b"\x05":
            self.socks()
        else:
            self.http()

    def socks(self) -> None:
        _, count = self.rfile.read(2)
        ways = self.rfile.read(count)
        way = 2 if self.server.login else 0
        self.wfile.write(bytes([5, way if way in ways else 255]))
        if way not in ways:
            return
        if self.server.login:
            self.rfile.read(1)
            given = tuple(self.rfile.read(self.rfile.read(1)[0]).decode() for _ in range(2))
            self.wfile.write(bytes([1, 0 if given == self.server.login else 1]))
            if given != self.server.login:
                return
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2))
        self.server.asked.append(f"socks {host}")
        if host == "nowhere.example":
            self.wfile.write(b"\x05\x04\x00\x01" + bytes(6))
            return
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        self.passed(port, b"")

    def http(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        method, url, _ = head.split(b" ", 2)
        self.server.asked.append(f"{method.decode()} {url.decode()}")
        if self.server.login and b"Proxy-Authorization: Basic " not in head:
            self.wfile.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            return
        port = int(url.partition(b"://")[2].partition(b"/")[0].rpartition(b":")[2] or url.rpartition(b":")[2])
        if method == b"CONNECT":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            head = b""
        else:
            path = b"/" + url.split(b"/", 3)[3]
            head = head.replace(url, path, 1)
        self.passed(port, head)

    def passed(self, port: int, first: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port), 60) as there:
            there.sendall(first)

            def back() -> None:
                while more := there.recv(65_536):
                    self.request.sendall(more)
                self.request.shutdown(socket.SHUT_WR)

            thread = Thread(target=back)
            thread.start()
            try:
                while more := self.rfile.read1():
                    there.sendall(more)
            finally:
                thread.join()


@contextmanager
def between(login: tuple[str, str] | None = None) -> Iterator[Between]:
    """A proxy at work."""
    with Between(login) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who breaks off does so on purpose
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_leads_to_the_server(scheme: str, secure: bool) -> None:
    """With its login, through TLS that is verified to the server's name, which the proxy looks up."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.com").configure_cert(context)
    seen: list[dict[str, str]] = []

    def serve(handler: BaseHTTPRequestHandler) -> None:
        seen.append(dict(handler.headers))
        answer(handler, b"through")

    with serving(serve, context if secure else None) as url, between(("me", "p@w")) as proxy:
        place = url.replace("localhost", "api.example.com")
        settings = Settings(
            f"{place}/%s",
            authorities=authority.cert_pem.bytes().decode(),
            proxies={"https" if secure else "http": Secret(f"{scheme}://me:p%40w@127.0.0.1:{proxy.port}")},
        )
        assert asked(Http("api", settings)) == b"through"
        assert "api.example.com" in proxy.asked[0]
        assert seen[0]["Host"] == place.partition("://")[2]
        if secure or scheme == "socks5":
            assert "Proxy-Authorization" not in seen[0]


@pytest.mark.parametrize(
    ("url", "proxy_url", "words"),
    [
        (
            "https://api.example.com/",
            "http://127.0.0.1:{port}",
            "the proxy 127.0.0.1 does not lead to api.example.com: it answers 407",
        ),
        ("https://api.example.com/", "socks5://127.0.0.1:{port}", "the proxy 127.0.0.1 wants another login"),
        ("https://api.example.com/", "socks5://me:wr0ng@127.0.0.1:{port}", "the proxy 127.0.0.1 refuses the login"),
        ("https://nowhere.example/", "socks5://me:pw@127.0.0.1:{port}", "the server cannot be reached"),
        ("https://api.example.com/", "http://127.0.0.1:1", "the proxy 127.0.0.1 cannot be reached: connection refused"),
        ("https://2130706433/", "socks5://me:pw@127.0.0.1:{port}", "the system needs `allow_private` to reach it"),
        ("https://localhost/", "http://127.0.0.1:{port}", "the system needs `allow_private` to reach it"),
        ("http://[::ffff:10.0.0.1]/", "http://127.0.0.1:{port}", "the system needs `allow_private` to reach it"),
    ],
)
def test_what_goes_wrong_at_a_proxy_is_told(url: str, proxy_url: str, words: str) -> None:
    """With its name and no login; addresses inside are not asked for through one either."""
    with between(("me", "pw")) as proxy:
        given: dict[str, Any] = dict.fromkeys(("http", "https"), proxy_url.format(port=proxy.port))
        with pytest.raises(HttpError, match=words) as raised:
            asked(Http("api", Settings(url, proxies=given)))
        assert "wr0ng" not in str(raised.value)
        if "allow_private" in words:
            assert proxy.asked == []
