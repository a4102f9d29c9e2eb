"""What is asked of a service, and where: values, and the addresses that they come to. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from pipeline.secret import Secret

GOOD: Final = ((200, 299),)
"""The statuses of answers to requests that were understood (RFC 9110 section 15.3)."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# These may be sent again by whoever does not know what became of them (RFC 9110 section 9.2.2).
_REPEATABLE: Final = SAFE | {"PUT", "DELETE"}
# What may stand in a path, and what in a query (RFC 3986 section 3.3); `%` begins what is encoded already.
_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"
_IN_QUERY: Final = _IN_PATH + "?"
# Logins, and requests that are to come later (RFC 6585 section 4, RFC 8470 section 5.2).
_TROUBLE: Final = frozenset({401, 407, 408, 425, 429})
_control: Final = re.compile("[\x00-\x1f\x7f]")


Param = str | Secret | Sequence[str | Secret]


class HttpError(Exception):
    """What went wrong, in words that have no secret. `status` is that of the answer, if there was one.

    `sent` says that there was none, and that the request or a part of it may have arrived all the same.
    """

    def __init__(self, text: str, status: int = 0, *, sent: bool = False) -> None:
        """Keep them."""
        super().__init__(text)
        self.text = text
        self.status = status
        self.sent = sent

    @property
    def refuses(self) -> bool:
        """Whether this very request cannot be served (RFC 9110 section 15.5); all else is trouble of the service.

        It is trouble too if it wants the request later, or does not know who asks.
        """
        return 400 <= self.status < 500 and self.status not in _TROUBLE


@dataclass(frozen=True, slots=True)
class OAuth2:
    """How a token is asked for (RFC 6749 section 4.4, or section 6 with a `refresh` token).

    `ahead` is how many seconds before its end a token is not used any more; `in_body` puts the login into the form.
    """

    client_id: str | Secret
    client_secret: str | Secret
    token_url: str
    scopes: tuple[str, ...] = ()
    extra: Mapping[str, str | Secret] = field(default_factory=dict)
    ahead: float = 30.0
    in_body: bool = False
    refresh: str | Secret | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to, as whom, and how patient.

    `pattern` has `%s` where the relative part of a URL goes; without it that is put behind. `basic` is a user name and
    a password, which are proven by `digest` if that is set; `token` follows `scheme`. `proxies` has URLs for `http`
    and `https`. `secret_path` goes behind the path, and is shown nowhere. An answer that asks to come back later is
    asked for `retries` times more, `delay` seconds apart or as long as it says.
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
    digest: bool = False
    scheme: str = "Bearer"
    oauth2: OAuth2 | None = None
    proxies: Mapping[str, str | Secret] = field(default_factory=dict)
    secret_path: Secret | str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `url` is relative to the system; a `link` is a whole URL, as an answer gives for the next page.

    Of `params` and `headers` a Secret is revealed on the way. Answers with other statuses than `good` are faults.
    `again` says that it may be sent twice though its method says no. `retries` and `delay` stand before those of the
    system.
    """

    url: str = ""
    method: str = "GET"
    params: Mapping[str, Param] = field(default_factory=dict)
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    body: bytes | None = None
    link: str = ""
    good: tuple[tuple[int, int], ...] = GOOD
    again: bool = False
    retries: int | None = None
    delay: float | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it does no harm to send it twice."""
        return self.again or self.method in _REPEATABLE

    def accepts(self, status: int) -> bool:
        """Whether an answer with this status is one."""
        return any(first <= status <= last for first, last in self.good)


def address(pattern: str, url: str = "", params: Mapping[str, Param] | None = None) -> str:
    """The URL that a relative one comes to; HttpError if that would be elsewhere than the system is."""
    before, mark, behind = pattern.partition("%s")
    if not mark and url and not urlsplit(pattern).path and url[0] not in "/?#":
        before += "/"
    found = f"{before}{url}{behind}" if mark else before + url
    place = origin(split(found))
    if place != origin(split(before)) or _climbs(url):
        raise HttpError("the relative URL leads away from the system")
    if not params:
        return found
    return asking(found, params)


def asking(url: str, params: Mapping[str, Param]) -> str:
    """A URL with these parameters; of those that it has already it keeps its own."""
    base, hash_, fragment = url.partition("#")
    query = urlsplit(url).query
    there = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    added = [(name, each) for name, value in params.items() if name not in there for each in _each(value)]
    if not added:
        return url
    return f"{base}{'&' if query else '?'}{urlencode(added)}{hash_}{fragment}"


def _each(value: Param) -> Iterator[str]:
    for one in [value] if isinstance(value, str | Secret) else value:
        yield revealed(one)


def _climbs(url: str) -> bool:
    """Whether a part of it leads up, to what the system was not declared for; encoded dots do so too."""
    path = url.partition("#")[0].partition("?")[0]
    return any(unquote(part) in {".", ".."} for part in re.split(r"[/\\]", path))


def split(url: str) -> SplitResult:
    """The parts of a whole URL; HttpError for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise HttpError("the URL has a port or an address that is none") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise HttpError("the URL is not one of http or https")
    if _control.search(url):
        raise HttpError("the URL has a control character")
    return parts


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """The server: scheme, name and port (RFC 6454)."""
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def target(parts: SplitResult) -> str:
    """What stands in the request line: path and query, encoded where they are not yet."""
    path = quote(parts.path or "/", _IN_PATH)
    return f"{path}?{quote(parts.query, _IN_QUERY)}" if parts.query else path


def behind(parts: SplitResult, secret: str | Secret | None) -> SplitResult:
    """The URL with a part behind its path that nobody is to see."""
    if secret is None:
        return parts
    return parts._replace(path=f"{parts.path.rstrip('/')}/{revealed(secret).lstrip('/')}")


def shown(url: str) -> str:
    """A place for people: parameters and logins may hold what nobody is to see."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def revealed(value: str | Secret) -> str:
    """The text that goes on the wire."""
    return value.reveal() if isinstance(value, Secret) else value
