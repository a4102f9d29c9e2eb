"""The one HTTP client: a request, an answer that comes in portions, and no way to where a project has no business.

The targets of redirects, and links to next pages, are checked as every address is. It blocks: sources and sinks ask in
a thread.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Final, Protocol, Self
from urllib.parse import SplitResult, urljoin

from systems.http.exchange import (
    SAFE,
    HttpError,
    Request,
    Settings,
    address,
    asking,
    behind,
    origin,
    revealed,
    shown,
    split,
    target,
)
from systems.http.logins import login_of
from systems.http.wire import Resolve, Wire, addresses_of, why

__all__ = ["Answer", "Http", "HttpError", "Line", "Received", "Request", "Resolve", "Settings", "addresses_of"]

MOST_REDIRECTS: Final = 3
PORTION: Final = 65_536
MOST_BYTES: Final = 64_000_000
"""The longest answer that is held as a whole: a page of a service, not all that it has."""
# Of an answer that is a fault so much is read, to let the connection go on; none of it is told.
_MOST_OF_FAULT: Final = 65_536
_LONGEST_WAIT: Final = 300.0
_moved: Final = frozenset({301, 302, 303, 307, 308})
_later: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Received(Protocol):
    """An answer as a line gives it."""

    status: int

    def headers(self, name: str) -> Sequence[str]:
        """The values of a header, in their order."""
        ...

    def names(self) -> Sequence[str]:
        """The names of all headers."""
        ...

    def read(self, most: int) -> bytes:
        """The next part of its content; nothing at its end. OSError or HTTPException if it breaks off."""
        ...

    def close(self) -> None:
        """It is not read any further."""
        ...


class Line(Protocol):
    """What requests go over."""

    def open(self) -> None:
        """It is going to be used."""
        ...

    def close(self) -> None:
        """It is used no more."""
        ...

    def send(self, parts: SplitResult, request: Request, headers: Mapping[str, str]) -> Received:
        """Ask, and get the answer with its head read; HttpError if there is none."""
        ...


class Http:
    """Asks one service."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        resolve: Resolve = addresses_of,
        sleep: Callable[[float], None] = time.sleep,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        line: Line | None = None,
    ) -> None:
        """`name` is that of the system; requests go over the `line`, or over connections of their own."""
        self.name = name
        self._settings = settings
        self._sleep = sleep
        self._wall = wall
        self._line: Line = line or Wire(settings, resolve, clock)
        self._login = login_of(settings, self._fetch, clock, nonce)
        self._origin = origin(split(address(settings.pattern)))

    async def __aenter__(self) -> Self:
        """From now on connections are kept for the next request."""
        self._line.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close them."""
        self._line.close()

    def url(self, request: Request) -> str:
        """Where a request goes; HttpError if that is no place of the system."""
        if not request.link:
            return address(self._settings.pattern, request.url, request.params)
        # Parameters may hold a key, which is for the server that it was written for.
        own = origin(split(request.link)) == self._origin
        return asking(request.link, request.params) if own else request.link

    @contextmanager
    def ask(self, request: Request) -> Iterator[Answer]:
        """The answer of a request that was understood; `HttpError` for every other."""
        url = self.url(request)
        retries = self._settings.retries if request.retries is None else request.retries
        delay = self._settings.delay if request.delay is None else request.delay
        for left in range(retries, -1, -1):
            response, place = self._follow(url, request)
            try:
                if response.status in _later and left and not request.accepts(response.status):
                    wait = self._wait(response, delay)
                    _drain(response)
                elif not request.accepts(response.status):
                    _drain(response)
                    raise HttpError(f"{shown(url)} answers {_status(response.status)}", response.status)
                else:
                    yield Answer(response, shown(url), place)
                    return
            finally:
                response.close()
            self._sleep(wait)

    def _follow(self, url: str, request: Request) -> tuple[Received, str]:
        """Ask, and go where the answer says; the answer, and where it comes from."""
        begin = url
        secure = self._origin[0] == "https"
        for _ in range(MOST_REDIRECTS + 1):
            parts = split(url)
            if secure and parts.scheme != "https":
                raise HttpError(f"{shown(begin)} leads from https to a place that is not")
            # Logins and what is sent are for the server that they were written for.
            own = origin(parts) == self._origin
            if not own and request.method not in SAFE:
                raise HttpError(f"{shown(begin)} leads to another server, which gets nothing sent")
            response = self._tried(parts, request) if own else self._line.send(parts, request, _plain_headers())
            where = response.headers("Location")
            if response.status not in _moved or not where or request.method not in SAFE:
                return response, url
            _drain(response)
            response.close()
            url = urljoin(url, where[0])
        raise HttpError(f"{shown(begin)} leads on more than {MOST_REDIRECTS} times")

    def _tried(self, parts: SplitResult, request: Request) -> Received:
        """Ask with a login; once more if it can be another one."""
        parts = behind(parts, self._settings.secret_path)
        uri = target(parts)
        for last in (False, True):
            login = self._login.header(request.method, uri)
            response = self._line.send(parts, request, self._headers(request, login))
            if response.status != HTTPStatus.UNAUTHORIZED or last:
                break
            if not self._login.refused(login, response.headers("WWW-Authenticate")):
                break
            _drain(response)
            response.close()
        return response

    def _headers(self, request: Request, login: str | None) -> dict[str, str]:
        headers = _plain_headers() | {name: revealed(value) for name, value in self._settings.headers.items()}
        if login is not None:
            headers["Authorization"] = login
        return headers | {name: revealed(value) for name, value in request.headers.items()}

    def _fetch(self, request: Request) -> tuple[int, bytes]:
        """A token: it is asked for where the configuration says and nowhere else."""
        headers = _plain_headers() | {name: revealed(value) for name, value in request.headers.items()}
        response = self._line.send(split(request.link), request, headers)
        try:
            return response.status, _drain(response)
        finally:
            response.close()

    def _wait(self, response: Received, usual: float) -> float:
        """How many seconds to wait: as the answer says, in seconds or as a time."""
        said = next(iter(response.headers("Retry-After")), "").strip()
        wanted = usual
        if said.isdecimal():
            wanted = float(said)
        elif said:
            try:
                wanted = max(0.0, parsedate_to_datetime(said).timestamp() - self._wall())
            except (ValueError, OverflowError):
                wanted = usual
        return min(wanted, _LONGEST_WAIT)


class Answer:
    """What a service has answered."""

    def __init__(self, response: Received, place: str, url: str = "") -> None:
        """`place` is what faults call it; links in it lead on from `url`."""
        self._response = response
        self.place = place
        self.url = url
        self.status = response.status

    def header(self, name: str) -> str | None:
        """A header by name; several of one name are one list."""
        return ", ".join(self._response.headers(name)) or None

    def headers(self) -> dict[str, str]:
        """All headers, with names in lower case."""
        return {name.lower(): self.header(name) or "" for name in self._response.names()}

    def portions(self) -> Iterator[bytes]:
        """Its content, as it comes; `HttpError` if it breaks off."""
        coding = self.header("Content-Encoding")
        if coding not in {None, "identity"}:
            raise HttpError(f"{self.place} answers in a coding that was not asked for")
        while True:
            try:
                portion = self._response.read(PORTION)
            except OSError as error:
                raise HttpError(f"{self.place} breaks off: {why(error)}") from None
            except HTTPException:
                raise HttpError(f"{self.place} breaks off before its end") from None
            if not portion:
                return
            yield portion

    def content(self, most: int = MOST_BYTES) -> bytes:
        """All of it; `HttpError` if it is too long to be held."""
        portions, size = [], 0
        for portion in self.portions():
            size += len(portion)
            if size > most:
                raise HttpError(f"{self.place} answers with more than {most // 1_000_000} MB")
            portions.append(portion)
        return b"".join(portions)


def _plain_headers() -> dict[str, str]:
    return {"User-Agent": "mailweir", "Accept-Encoding": "identity"}


def _drain(response: Received) -> bytes:
    """The content of an answer that is not worth an error, if it is short."""
    found = b""
    try:
        while len(found) < _MOST_OF_FAULT and (more := response.read(_MOST_OF_FAULT - len(found))):
            found += more
    except (OSError, HTTPException):
        return b""
    return found


def _status(status: int) -> str:
    """The number, with the word that belongs to it; what the server writes instead is not repeated."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
