"""The one HTTP client: a request, an answer that comes in portions, and no way to where a project has no business.

A name is looked up once, every address of it is checked, and what was checked is what is connected to; so are the
targets of redirects. It blocks: sources and sinks ask in a thread.
"""

from __future__ import annotations

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Final, Self
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit, urlunsplit

from pipeline.secret import Secret
from systems.disk import reason
from systems.http.addresses import denied

MOST_REDIRECTS: Final = 3
PORTION: Final = 65_536
# Of an answer that is a fault so much is read, to let the connection go on; none of it is told.
_MOST_OF_FAULT: Final = 65_536
_LONGEST_WAIT: Final = 300.0
_moved: Final = frozenset({301, 302, 303, 307, 308})
_later: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})

Resolve = Callable[[str, int], Sequence[str]]


class HttpError(Exception):
    """What went wrong, in words that have no secret. `status` is that of the answer, if there was one."""

    def __init__(self, text: str, status: int = 0) -> None:
        """Keep both."""
        super().__init__(text)
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to, as whom, and how patient.

    `pattern` has `%s` where the relative part of a URL goes; without it that is put behind. An answer that asks to come
    back later is asked for `retries` times more, `delay` seconds apart or as long as it says.
    """

    pattern: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    basic: tuple[str | Secret, str | Secret] | None = None
    token: Secret | str | None = None
    verify: bool = True
    authorities: str | None = None
    allow_private: bool = False
    connect_within: float = 60.0
    answer_within: float = 1800.0
    retries: int = 0
    delay: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `url` is relative to the system."""

    url: str = ""
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def addresses_of(host: str, port: int) -> Sequence[str]:
    """All addresses that a name has, as the machine looks them up."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


class Http:
    """Asks one service."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resolve: Resolve = addresses_of,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`name` is that of the system."""
        self.name = name
        self._settings = settings
        self._resolve = resolve
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is open."""

    @contextmanager
    def ask(self, request: Request) -> Iterator[Answer]:
        """The answer of a request that was understood; `HttpError` for every other."""
        for left in range(self._settings.retries, -1, -1):
            connection, response = self._follow(request)
            with connection:
                if response.status in _later and left:
                    wait = _wait(response.getheader("Retry-After"), self._settings.delay)
                    response.read(_MOST_OF_FAULT)
                elif not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
                    raise HttpError(f"{self._shown(request.url)} answers {_status(response)}", response.status)
                else:
                    yield Answer(response, self._shown(request.url))
                    return
            self._sleep(wait)

    def _url(self, request: Request) -> str:
        pattern, part = self._settings.pattern, request.url
        url = pattern.replace("%s", part, 1) if "%s" in pattern else pattern + part
        if not request.params:
            return url
        return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(request.params)}"

    def _shown(self, url: str) -> str:
        """A place for people: parameters and logins may hold what nobody is to see."""
        parts = urlsplit(self._url(Request(url)))
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def _follow(self, request: Request) -> tuple[_Closing, HTTPResponse]:
        """Ask, and go where the answer says."""
        url = self._url(request)
        first = urlsplit(url)
        for _ in range(MOST_REDIRECTS + 1):
            parts = urlsplit(url)
            # Logins and the like are for the server that they were written for.
            own = (parts.scheme, parts.netloc) == (first.scheme, first.netloc)
            connection, response = self._once(parts, request, own=own)
            target = response.getheader("Location")
            if response.status not in _moved or not target or request.method not in {"GET", "HEAD"}:
                return connection, response
            connection.close()
            url = urljoin(url, target)
            if parts.scheme == "https" and urlsplit(url).scheme != "https":
                raise HttpError(f"{self._shown(request.url)} leads from https to a place that is not")
        raise HttpError(f"{self._shown(request.url)} leads on more than {MOST_REDIRECTS} times")

    def _once(self, parts: SplitResult, request: Request, *, own: bool) -> tuple[_Closing, HTTPResponse]:
        connection = self._connection(parts)
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        try:
            connection.request(request.method, path, request.body, self._headers(request) if own else {})
            response = connection.getresponse()
        except OSError as error:
            connection.close()
            raise HttpError(f"{parts.hostname} cannot be reached: {_why(error)}") from None
        except (HTTPException, ValueError) as error:
            connection.close()
            raise HttpError(f"{parts.hostname} does not speak HTTP: {type(error).__name__}") from None
        except BaseException:
            connection.close()
            raise
        return _Closing(connection, response), response

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        settings = self._settings
        try:
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise HttpError("the URL has a port that is none") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise HttpError("the URL is not one of http or https")
        if parts.scheme == "http":
            return _Plain(host, port, self._reach)
        context = ssl.create_default_context(cadata=settings.authorities)
        if not settings.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return _Secure(host, port, self._reach, context)

    def _reach(self, host: str, port: int) -> socket.socket:
        """Connect to an address that was checked."""
        addresses = list(dict.fromkeys(self._resolve(host, port)))
        if not self._settings.allow_private:
            for address in addresses:
                if what := denied(address):
                    named = "" if address == host else f"{address}, "
                    raise HttpError(f"{host} is {named}{what}: the system needs `allow_private` to reach it")
        failed: OSError = OSError("it has no address")
        for address in addresses:
            try:
                reached = socket.create_connection((address, port), self._settings.connect_within)
            except OSError as error:
                failed = error
            else:
                reached.settimeout(self._settings.answer_within)
                return reached
        raise failed

    def _headers(self, request: Request) -> dict[str, str]:
        settings = self._settings
        headers = {"User-Agent": "mailweir", "Accept-Encoding": "identity"}
        headers |= {name: _revealed(value) for name, value in settings.headers.items()}
        if settings.basic is not None:
            login = ":".join(map(_revealed, settings.basic)).encode()
            headers["Authorization"] = f"Basic {b64encode(login).decode()}"
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {_revealed(settings.token)}"
        return headers | dict(request.headers)


class Answer:
    """What a service has answered."""

    def __init__(self, response: HTTPResponse, place: str) -> None:
        """`place` is what faults call it."""
        self._response = response
        self.place = place
        self.status = response.status

    def header(self, name: str) -> str | None:
        """A header by name."""
        return self._response.getheader(name)

    def portions(self) -> Iterator[bytes]:
        """Its content, as it comes; `HttpError` if it breaks off."""
        coding = self.header("Content-Encoding")
        if coding not in {None, "identity"}:
            raise HttpError(f"{self.place} answers in a coding that was not asked for")
        while True:
            try:
                portion = self._response.read(PORTION)
            except OSError as error:
                raise HttpError(f"{self.place} breaks off: {_why(error)}") from None
            except HTTPException:
                raise HttpError(f"{self.place} breaks off before its end") from None
            if not portion:
                # To who reads bit by bit a connection that is cut looks like an end.
                if self._response.length:
                    raise HttpError(f"{self.place} breaks off before its end")
                return
            yield portion


class _Plain(HTTPConnection):
    """Reaches servers in our way."""

    def __init__(self, host: str, port: int | None, reach: Callable[[str, int], socket.socket]) -> None:
        super().__init__(host, port)
        self._reach = reach

    def connect(self) -> None:
        """To an address that was checked."""
        self.sock = self._reach(self.host, self.port)


class _Secure(HTTPSConnection):
    """The same, with TLS for the name that was asked for."""

    def __init__(
        self, host: str, port: int | None, reach: Callable[[str, int], socket.socket], context: ssl.SSLContext
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


class _Closing:
    """A connection, for as long as its answer is read."""

    def __init__(self, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._connection = connection
        self._response = response

    def __enter__(self) -> None:
        """It is open."""

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """It is for one answer, which may hold it open."""
        self._response.close()
        self._connection.close()


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _status(response: HTTPResponse) -> str:
    """The number, with the word that belongs to it; what the server writes instead is not repeated."""
    try:
        return f"{response.status} {HTTPStatus(response.status).phrase}"
    except ValueError:
        return str(response.status)


def _wait(said: str | None, usual: float) -> float:
    """How many seconds to wait: as the answer says, if it counts them."""
    wanted = float(said) if said is not None and said.strip().isdecimal() else usual
    return min(wanted, _LONGEST_WAIT)


def _why(error: Any) -> str:  # noqa: ANN401 - any of the faults of sockets
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "there is no such name"
    return "it takes too long" if isinstance(error, TimeoutError) else reason(error)
