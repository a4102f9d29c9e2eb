"""What is answered: routes with what they need, as declarations; calls, and refusals. No I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from mailweir.web.access import Caller, Role

if TYPE_CHECKING:
    from starlette.responses import Response

# What a request may have, unless its route says otherwise: a form of a page, a mail without attachments.
MOST_BYTES: Final = 2**20
# A handler that is no stream has answered by then.
SECONDS: Final = 60.0

# WEBSOCKET is none of HTTP: the answer to such a handshake is a `Conversation`.
Method = Literal["GET", "POST", "PUT", "DELETE", "WEBSOCKET"]


class Query(NamedTuple):
    """One thing behind the question mark."""

    kind: Literal["text", "number", "boolean"]
    about: str


class Body(NamedTuple):
    """What is posted: JSON of a schema, `most` bytes at most."""

    schema: Mapping[str, Any]
    most: int = MOST_BYTES


class Form(NamedTuple):
    """What a form of a page posts: its fields, of which there may be one or many. The token of the page is not one."""

    fields: Mapping[str, Literal["one", "many"]]
    most: int = 2**16


class Reply(NamedTuple):
    """An answer that is no refusal: what it is, and the schema of its JSON, or another type of content."""

    about: str
    schema: Mapping[str, Any] | None = None
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be answered: who asks, and what for."""

    caller: Caller | None
    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes = b""
    trace: str = ""
    """What names this request in the log and in the answer."""
    form: Mapping[str, Any] = field(default_factory=dict)
    """What was posted by a form: a text for a field of one, a tuple of them for a field of many."""
    csrf: str = ""
    """What a form of a page has to bring along, in the session of a browser."""
    cookie: str = ""
    """The session of the browser that asks, as it was given to it."""

    def may(self, role: Role, pipe: str | None = None) -> bool:
        """Whether who asks may do what needs this role."""
        return self.caller is not None and self.caller.may(role, pipe)


Handler = Callable[[Call], Awaitable["Response"]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `needs` is the role that a token must carry; `None` is open to everybody, and shows no content.

    `any_host`: probes ask by addresses that nobody knows beforehand. What `streams` is read while it is answered, so
    its head alone is not to be had. `pipe_asked`: the pipe that it is about stands behind the question mark. A `page`
    is for people: the session of a browser will do, and no program is told of it. For a `session` route the session
    will do too; what changes something then needs the token of the page.
    """

    method: Method
    path: str
    name: str
    needs: Role | None
    about: str
    handler: Handler
    query: Mapping[str, Query] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | Form | None = None
    replies: Mapping[int, Reply] = field(default_factory=dict)
    refuses: Mapping[int, str] = field(default_factory=dict)
    any_host: bool = False
    streams: bool = False
    page: bool = False
    session: bool = False
    pipe_asked: bool = False
    seconds: float = SECONDS


class RefusedError(Exception):
    """A request that is not served: an answer with a status of 400 or more, and why."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object) -> None:
        """`more` belongs to it for programs."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more
