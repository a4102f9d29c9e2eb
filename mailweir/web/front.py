"""The door: every request passes here before anything answers it, and every answer on its way out."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import count
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import Response
from starlette.routing import compile_path

from mailweir.serving.log import event, scrubbed
from mailweir.web import checks
from mailweir.web.access import Caller, Keys, Wrongs
from mailweir.web.route import Body, Call, Form, RefusedError, Route
from pipeline.state.faults import StateError

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from mailweir.web.sessions import Seal
    from pipeline.clock import Clock
    from pipeline.scrub import Scrubber

# A body has come by then, however slowly its sender writes.
BODY_SECONDS: Final = 30.0
# Who reads an answer takes the next piece of it by then.
SEND_SECONDS: Final = 60.0
# After trouble with the state, so many seconds make sense before the next try.
RETRY_SECONDS: Final = 30

# Roles of which each use is on record.
_lasting: Final = frozenset({"content", "act", "configure"})
_fixed: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Bounds(NamedTuple):
    """Whom requests may mean: names, and the port unless a proxy has its own.

    Seconds for a body, and for each piece of an answer.
    """

    hosts: frozenset[str]
    port: int | None
    body: float = BODY_SECONDS
    send: float = SEND_SECONDS


class Browsers(NamedTuple):
    """How browsers are served: what their sessions are sealed with, and refusals as pages."""

    seal: Seal
    refusal: Callable[[RefusedError, Refused], Response]


class Refused(NamedTuple):
    """What is known of a request that gets a page saying that it is refused."""

    path: str
    trace: str
    caller: Caller | None
    cookie: str
    elsewhere: bool
    """Somebody followed a link of another site, so the browser kept its session to itself."""


class Front:
    """The application as the server calls it."""

    def __init__(
        self,
        routes: Sequence[Route],
        keys: Keys,
        bounds: Bounds,
        clock: Clock,
        scrubber: Callable[[], Scrubber],
        browsers: Browsers | None = None,
    ) -> None:
        """`scrubber` gives that of the configuration as it is then. Without `browsers` tokens alone will do."""
        self.routes = tuple(routes)
        self.bounds = bounds
        self.answered: Counter[tuple[str, int]] = Counter()
        """How many requests were answered, by the name of the route and the status."""
        self._paths = tuple((compile_path(one.path)[0], _methods(one), one) for one in routes)
        self._keys = keys
        self._clock = clock
        self._scrubber = scrubber
        self._browsers = browsers
        self._wrongs = Wrongs()
        # The name of a request is that of the door, and a number: drawing one costs as much as finding a route.
        self._begin, self._number = secrets.token_hex(4), count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            scope = {**scope, "method": "WEBSOCKET"}
        elif scope["type"] != "http":
            return
        request = _Request(scope, f"{self._begin}{next(self._number) % 2**32:08x}", self._clock.boot())
        out = _Out(send, self.bounds.send)
        try:
            response = await self._answered(request, receive)
        except RefusedError as error:
            response = self._refusal(request, error)
        except StateError as error:
            event("http.state", f"the state cannot be used: {error}", logging.ERROR, **request.facts())
            later = {"Retry-After": str(RETRY_SECONDS)}
            refused = RefusedError(503, f"the state cannot be used: {error.text}", headers=later)
            response = self._refusal(request, refused)
        except Exception as error:  # noqa: BLE001 - one request does not end the service
            self._crashed(request, error)
            response = self._refusal(request, RefusedError(500, "a fault in mailweir itself; the log has more"))
        try:
            await response(scope, receive, out)
        except (TimeoutError, OSError):
            out.broken = True
        except Exception as error:  # noqa: BLE001 - as above; what was begun cannot be told otherwise any more
            self._crashed(request, error)
            out.broken = True
        # The server closes a connection whose answer did not come to its end.
        self._tell(request, out)

    async def _answered(self, request: _Request, receive: Receive) -> Response:
        scope = request.scope
        headers: checks.Headers = scope["headers"]
        checks.framing(headers)
        route, path, others = self._found(scope)
        request.route = route
        if route is None or not route.any_host:
            checks.meant(headers, self.bounds.hosts, self.bounds.port)
        caller = None
        if route is None or route.needs is not None:
            sessions = route is None or route.page or route.session
            caller = request.caller = self._caller(request, headers, sessions=sessions)
        if route is None:
            if others:
                raise RefusedError(405, "this route has no such method", headers={"Allow": ", ".join(others)})
            raise RefusedError(404, "there is nothing here")
        query = checks.query_of(scope["query_string"], route.query)
        pipe = query.get("pipe") if route.pipe_asked else path.get("pipe")
        if route.needs is not None and (caller is None or not caller.may(route.needs, pipe)):
            raise RefusedError(403, f"this token may not do that: it needs the role `{route.needs}`, for this pipe")
        checks.own_site(scope["method"], headers)
        if isinstance(route.body, Body):
            checks.is_json(headers)
        most = 0 if route.body is None else route.body.most
        body = b"" if scope["type"] == "websocket" else await self._body(headers, receive, most)
        form: dict[str, Any] = {}
        if isinstance(route.body, Form):
            form = checks.form_of(headers, body, route.body.fields)
        csrf = self._csrf(request, headers, form.pop("csrf", ""))
        if route.needs is None and form:
            self._wait_after_wrongs(request)
        named = {name.lower(): checks.first(headers, name.lower().encode()) for name in route.headers}
        given = {name: value for name, value in named.items() if value is not None}
        try:
            async with asyncio.timeout(route.seconds):
                return await route.handler(
                    Call(caller, path, query, given, body, request.trace, form, csrf, request.cookie)
                )
        except RefusedError as error:
            if error.status == 401:
                # It was shown a token that is not valid.
                self._wrongs.add(request.peer, self._clock.boot())
            raise
        except TimeoutError:
            raise RefusedError(503, "this takes too long just now", headers={"Retry-After": "10"}) from None

    def _found(self, scope: Scope) -> tuple[Route | None, Mapping[str, str], list[str]]:
        """The route, what its path says; or the methods that the path has."""
        others: list[str] = []
        for path, methods, route in self._paths:
            found = path.match(scope["path"])
            if found is None:
                continue
            if (route.method == "WEBSOCKET") is not (scope["type"] == "websocket"):
                continue
            if scope["method"] in methods:
                return route, found.groupdict(), []
            others.append(route.method)
        return None, {}, others

    def _caller(self, request: _Request, headers: checks.Headers, *, sessions: bool) -> Caller:
        self._wait_after_wrongs(request)
        token = checks.token_of(headers)
        if token is None and sessions and (found := self._session(request, headers)) is not None:
            return found
        caller = None if token is None else self._keys.caller(token)
        if caller is None:
            if token is not None:
                self._wrongs.add(request.peer, self._clock.boot())
            challenge = 'Bearer realm="mailweir"' + ("" if token is None else ', error="invalid_token"')
            detail = "a token is needed: `Authorization: Bearer …`" if token is None else "this token is not valid"
            raise RefusedError(401, detail, headers={"WWW-Authenticate": challenge})
        return caller

    def _wait_after_wrongs(self, request: _Request) -> None:
        if self._wrongs.too_many(request.peer, self._clock.boot()):
            raise RefusedError(429, "too many wrong tokens", headers={"Retry-After": "1"})

    def _session(self, request: _Request, headers: checks.Headers) -> Caller | None:
        """Whose session the browser shows, if it shows one that holds."""
        if self._browsers is None:
            return None
        cookie = checks.cookie_of(headers, self._browsers.seal.name)
        opened = None if cookie is None else self._browsers.seal.open("session", cookie, self._clock.wall())
        caller = None if opened is None else self._keys.known(opened.digest)
        if caller is not None:
            checks.own_page(request.scope["method"], headers)
            request.cookie = cookie or ""
        return caller

    def _csrf(self, request: _Request, headers: checks.Headers, posted: str) -> str:
        """What forms of a page of this session bring along; `RefusedError` where something is changed without it."""
        if self._browsers is None or not request.cookie:
            return ""
        if request.scope["type"] == "websocket":
            # A script cannot give it a header, and each browser says which site it comes from (RFC 6455 section 10.2).
            checks.says_site(headers)
            return ""
        given = posted or checks.first(headers, b"x-csrf-token") or ""
        if request.scope["method"] not in {"GET", "HEAD"} and not self._browsers.seal.is_csrf(request.cookie, given):
            raise RefusedError(403, "this page is not of your session any more: load it anew, then try again")
        return self._browsers.seal.csrf(request.cookie)

    async def _body(self, headers: checks.Headers, receive: Receive, most: int) -> bytes:
        """All of it, if it is not too long and comes in time."""
        length = checks.first(headers, b"content-length")
        too_long = RefusedError(
            413,
            f"a request has {most:,} bytes at most" if most else "no body is expected",
            headers={"Connection": "close"},
        )
        if length is not None and (not length.isdigit() or len(length) > 15 or int(length) > most):
            raise too_long
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.bounds.body):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise RefusedError(400, "the request broke off")
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    if size > most:
                        raise too_long
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise RefusedError(408, "the request took too long", headers={"Connection": "close"}) from None

    def _refusal(self, request: _Request, error: RefusedError) -> Response:
        """A page for people; for programs as RFC 9457 has it."""
        if self._browsers is not None and checks.wants_page(request.scope["path"], request.scope["headers"]):
            elsewhere = checks.comes_from_elsewhere(request.scope["headers"])
            refused = Refused(request.scope["path"], request.trace, request.caller, request.cookie, elsewhere)
            return self._browsers.refusal(error, refused)
        told = {
            "title": HTTPStatus(error.status).phrase,
            "status": error.status,
            "detail": error.detail,
            "request": request.trace,
            **error.more,
        }
        text = json.dumps(scrubbed(told, self._scrubber()), ensure_ascii=False)
        content = text.encode("utf-8", "replace")
        return Response(content, error.status, error.headers, media_type="application/problem+json")

    def _crashed(self, request: _Request, error: Exception) -> None:
        frames = [f"{one.filename}:{one.lineno} {one.name}" for one in extract_tb(error.__traceback__)]
        told = f"a fault in mailweir itself: {type(error).__name__}"
        event("http.crashed", told, logging.ERROR, frames=frames, **request.facts())

    def _tell(self, request: _Request, out: _Out) -> None:
        """Who looked at contents or changed something is on record; the rest is for who looks closely."""
        route, caller = request.route, request.caller
        self.answered["" if route is None else route.name, out.status] += 1
        lasting = caller is not None and route is not None and route.needs in _lasting and out.status < 400
        level = logging.INFO if lasting else logging.DEBUG
        if logging.getLogger("mailweir.serve").isEnabledFor(level):
            by = "" if caller is None else f" by {caller.name}"
            what = f"{request.scope['method']} {request.scope['path'] if route else '…'}"
            told = f"{what}{by}: {out.status}{', broken off' if out.broken else ''}"
            seconds = round(self._clock.boot() - request.began, 4)
            event("http.request", told, level, status=out.status, seconds=seconds, **request.facts())


class _Request:
    """What is known of a request so far."""

    def __init__(self, scope: Scope, trace: str, began: float) -> None:
        self.scope = scope
        self.trace = trace
        self.began = began
        self.route: Route | None = None
        self.caller: Caller | None = None
        self.cookie = ""
        self.peer: str = scope["client"][0] if scope.get("client") else ""

    def facts(self) -> dict[str, Any]:
        """For the log: not what stands behind the question mark."""
        route = "" if self.route is None else self.route.name
        return {"request": self.trace, "route": route, "by": "" if self.caller is None else self.caller.name}


class _Out:
    """The way out: headers that every answer has, and an end to waiting for who does not read."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self.status = 0
        self.broken = False

    async def __call__(self, message: Message) -> None:
        """One piece."""
        if message["type"] == "websocket.accept":
            self.status = HTTPStatus.SWITCHING_PROTOCOLS
        if message["type"].endswith("http.response.start"):
            self.status = message["status"]
            own = {name for name, _ in message.get("headers", ())}
            added = [pair for pair in _fixed if pair[0] not in own]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        async with asyncio.timeout(self._seconds):
            await self._send(message)


def _methods(route: Route) -> frozenset[str]:
    """Those that it answers: where there is something to get, its head is to be had too."""
    return frozenset({"GET", "HEAD"} if route.method == "GET" and not route.streams else {route.method})


App = Callable[["Scope", "Receive", "Send"], Awaitable[None]]
