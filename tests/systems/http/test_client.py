"""The HTTP client, with real servers."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import trustme

from pipeline.secret import Secret
from systems.http.client import Http, HttpError, Request, Settings
from tests.web import answer, serving


def asked(url: str, request: Request | None = None, **settings: Any) -> bytes:
    """All of an answer."""
    given: dict[str, Any] = {"allow_private": True, **settings}
    with Http("api", Settings(url, **given)).ask(request or Request()) as found:
        return b"".join(found.portions())


def test_a_request_has_what_it_needs() -> None:
    """Method, path, parameters, headers of the system and of the request, login, body."""
    seen: list[Any] = []

    def serve(handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"] or 0))
        seen.append((handler.command, handler.path, dict(handler.headers), body))
        answer(handler, b"done")

    with serving(serve) as url:
        request = Request("things?a=1", "POST", {"b": "ø &"}, {"X-Own": "1"}, b"{}")
        headers = {"X-Key": Secret("s3cr3t"), "X-Own": "0"}
        assert asked(f"{url}/v1/%s", request, headers=headers, basic=("me", Secret("pw"))) == b"done"
        assert asked(f"{url}/v1/", Request("x"), token=Secret("t0ken")) == b"done"
    (method, path, got, body), (_, second, other, _) = seen
    assert (method, path, body) == ("POST", "/v1/things?a=1&b=%C3%B8+%26", b"{}")
    assert (got["X-Key"], got["X-Own"], got["Authorization"]) == ("s3cr3t", "1", "Basic bWU6cHc=")
    assert (second, other["Authorization"]) == ("/v1/x", "Bearer t0ken")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://localhost:1/",
            "http://127.0.0.1:1/",
            "http://2130706433:1/",
            "http://0x7f.1:1/",
            "http://0177.0.0.1:1/",
        ),
        *(
            "http://[::1]:1/",
            "http://[::ffff:127.0.0.1]:1/",
            "http://127.1:1/",
            "http://0:1/",
            "http://169.254.169.254/",
        ),
    ],
)
def test_what_is_inside_is_never_reached(url: str) -> None:
    """However it is written."""
    with pytest.raises(HttpError, match="the system needs `allow_private` to reach it"):
        asked(url, allow_private=False)


def test_a_name_is_looked_up_once_and_every_address_of_it_is_checked() -> None:
    """One that is inside is enough; a name cannot become another address between the look and the connection."""
    looks: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        assert port == 80
        looks.append(host)
        return ["8.8.8.8", "10.0.0.1"]

    system = Http("api", Settings("http://example.com/"), resolve)
    with pytest.raises(HttpError, match="example.com is 10.0.0.1, a private address"), system.ask(Request()):
        pass
    assert looks == ["example.com"]


def test_redirects_are_followed_and_checked() -> None:
    """Three of them; logins stay with the server that they are for; nothing inside is reached by one."""
    seen: list[str | None] = []

    def serve(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        left = int(handler.path.strip("/"))
        if left:
            answer(handler, status=302, Location=f"/{left - 1}")
        else:
            answer(handler, b"there")

    with serving(serve) as url:
        assert asked(url, Request("/3"), token="t") == b"there"
        assert seen == ["Bearer t"] * 4
        with pytest.raises(HttpError, match="leads on more than 3 times"):
            asked(url, Request("/4"))
        with pytest.raises(HttpError, match="answers 302 Found"):
            asked(url, Request("/3", "POST"))
        seen.clear()
        with serving(lambda handler: answer(handler, status=302, Location=f"{url}/0")) as first:
            assert asked(first, Request("/"), token="t") == b"there"
        assert seen == [None]
    for target in ("file:///etc/passwd", "ftp://example.com/", "gopher:x"):
        with (
            serving(lambda handler, target=target: answer(handler, status=302, Location=target)) as url,  # type: ignore[misc]
            pytest.raises(HttpError, match="the URL is not one of http or https"),
        ):
            asked(url)


def test_who_wants_to_be_asked_later_is() -> None:
    """As often as is wanted, after as many seconds as it says."""
    count = 0

    def serve(handler: BaseHTTPRequestHandler) -> None:
        nonlocal count
        count += 1
        if count == 1:
            answer(handler, status=429, Retry_After="7")
        elif count == 2:
            answer(handler, status=503)
        else:
            answer(handler, b"now")

    slept: list[float] = []
    with serving(serve) as url:
        system = Http("api", Settings(url, allow_private=True, retries=2, delay=0.5), sleep=slept.append)
        with system.ask(Request("/")) as found:
            assert b"".join(found.portions()) == b"now"
        assert slept == [7.0, 0.5]
        count = 0
        with pytest.raises(HttpError, match="answers 429 Too Many Requests"):
            asked(url, Request("/"))


def test_what_goes_wrong_is_told_without_parameters() -> None:
    """Statuses, answers that break off, servers that are not there."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        if "short" in handler.path:
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(b"half")
        elif "chunks" in handler.path:
            handler.protocol_version = "HTTP/1.1"
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            handler.wfile.write(b"4\r\nhalf\r\n")
            handler.close_connection = True
        elif "coded" in handler.path:
            answer(handler, b"xx", Content_Encoding="br")
        else:
            answer(handler, b"s3cr3t", 404)

    with serving(serve) as url:
        for path, words in (
            ("/x?key=s3cr3t", r"/x answers 404 Not Found$"),
            ("/short", "breaks off before its end"),
            ("/chunks", "breaks off before its end"),
            ("/coded", "in a coding that was not asked for"),
        ):
            with pytest.raises(HttpError, match=words) as raised:
                asked(url, Request(path))
            assert "s3cr3t" not in raised.value.text
    with pytest.raises(HttpError, match="localhost cannot be reached: connection refused"):
        asked("http://localhost:1/")


def test_tls_is_verified() -> None:
    """An authority that is not known, and one that is; unless it is not wanted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("example.com").configure_cert(other)
    pem = authority.cert_pem.bytes().decode()
    with serving(lambda handler: answer(handler, b"ok"), context) as url:
        assert asked(url, Request("/"), authorities=pem) == b"ok"
        assert asked(url, Request("/"), verify=False) == b"ok"
        with pytest.raises(HttpError, match="its certificate is not trusted"):
            asked(url, Request("/"))
    with (
        serving(lambda handler: answer(handler, b"ok"), other) as url,
        pytest.raises(HttpError, match="its certificate is not trusted"),
    ):
        asked(url, Request("/"), authorities=pem)
