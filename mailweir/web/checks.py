"""What must be true of a request before anybody looks at what it wants: whom it means, and where it comes from. No I/O.

Browsers send requests for pages of others too. A name that another site makes point here shows in `Host`; a form or
a script of another site shows in `Origin` and `Sec-Fetch-Site`, and cannot send a token. Tokens come in a header only,
so there is nothing that a browser would send by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from mailweir.web.route import Query, RefusedError
from pipeline.config.near import near

Headers = Sequence[tuple[bytes, bytes]]

_host: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_safe: Final = frozenset({"GET", "HEAD"})
_number: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def first(headers: Headers, name: bytes) -> str | None:
    """A header that may be there once; `RefusedError` if it is there more often."""
    found = [value for key, value in headers if key == name]
    if len(found) > 1:
        raise RefusedError(400, f"the header `{name.decode()}` is there {len(found)} times")
    return found[0].decode("latin-1") if found else None


def framing(headers: Headers) -> None:
    """Where a request ends is beyond doubt (RFC 9112 section 6.3), and it is as long as it looks."""
    if first(headers, b"content-length") is not None and first(headers, b"transfer-encoding") is not None:
        raise RefusedError(
            400, "a request has a length or a transfer coding, not both", headers={"Connection": "close"}
        )
    if (first(headers, b"content-encoding") or "identity").strip().lower() != "identity":
        raise RefusedError(415, "requests are not unpacked: send it as it is")


def host_of(headers: Headers) -> tuple[str, int | None]:
    """Whom the request means."""
    text = (first(headers, b"host") or "").strip().lower()
    found = _host.fullmatch(text)
    if found is None:
        raise RefusedError(400, "the header `host` names no host")
    return found["name"].rstrip("."), int(found["port"]) if found["port"] else None


def meant(headers: Headers, hosts: frozenset[str], port: int | None) -> None:
    """Refuse a request that means another host: a site that makes its name point here reads nothing.

    Without a `port` any is right: a proxy has its own.
    """
    name, given = host_of(headers)
    if name not in hosts or (port is not None and given is not None and given != port):
        raise RefusedError(421, "this host is not served here; `--allowed-host` names further ones")


def own_site(method: str, headers: Headers) -> None:
    """Refuse what a page of another site sends."""
    if method in _safe:
        return
    origin, site = first(headers, b"origin"), first(headers, b"sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        raise RefusedError(403, "a page of another site sent this")
    # Pages that tell nobody where they are send no origin of theirs with a form either (Fetch, section 3.1), and the
    # browser says all the same that it is one of ours.
    if origin is None or (origin == "null" and site == "same-origin"):
        return
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or parts.netloc.lower() != (first(headers, b"host") or "").strip().lower():
        raise RefusedError(403, "a page of another site sent this")


def says_site(headers: Headers) -> None:
    """Refuse what came with a session and says nothing of the page that it comes from."""
    if first(headers, b"origin") is None:
        raise RefusedError(403, "a websocket with a session says where it comes from: `Origin`")


def own_page(method: str, headers: Headers) -> None:
    """Refuse what came with a session, and not from a page of ours or from whoever typed or followed an address."""
    site, mode = first(headers, b"sec-fetch-site"), first(headers, b"sec-fetch-mode")
    if site in {None, "same-origin", "none"} or (method in _safe and mode == "navigate"):
        return
    raise RefusedError(403, "a page of another site sent this")


def wants_page(path: str, headers: Headers) -> bool:
    """Whether a person looks at what comes back."""
    return not path.startswith("/api/") and "text/html" in (first(headers, b"accept") or "")


def comes_from_elsewhere(headers: Headers) -> bool:
    """Whether somebody followed a link of another site: browsers keep the session to themselves then."""
    return first(headers, b"sec-fetch-site") in {"cross-site", "same-site"}


def cookie_of(headers: Headers, name: str) -> str | None:
    """A cookie that the request shows."""
    found = [value.decode("latin-1") for key, value in headers if key == b"cookie"]
    pairs = (one.strip().partition("=") for line in found for one in line.split(";"))
    return next((value for key, _, value in pairs if key == name), None)


def form_of(headers: Headers, body: bytes, fields: Mapping[str, str]) -> dict[str, Any]:
    """What a form has posted: a text for each field of one, a tuple for each field of many. It may have `csrf`, too."""
    kind = (first(headers, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedError(415, "the body is that of a form: send `Content-Type: application/x-www-form-urlencoded`")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2000)
    except ValueError:
        raise RefusedError(400, "what was posted cannot be read") from None
    found: dict[str, Any] = {name: () for name, many in fields.items() if many == "many"}
    for name, value in pairs:
        many = fields.get(name, "one" if name == "csrf" else None)
        if many is None:
            raise RefusedError(400, f"no field `{name}`")
        if many == "one" and name in found:
            raise RefusedError(400, f"the field `{name}` is there twice")
        found[name] = (*found[name], value) if many == "many" else value
    return found


def is_json(headers: Headers) -> None:
    """A body is JSON and says so."""
    kind = (first(headers, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "the body is JSON: send `Content-Type: application/json`")


def token_of(headers: Headers) -> str | None:
    """The token that a request shows."""
    scheme, _, token = (first(headers, b"authorization") or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def query_of(text: bytes, known: Mapping[str, Query]) -> dict[str, Any]:
    """What stands behind the question mark, as the route has it."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise RefusedError(400, "what stands behind the question mark cannot be read") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in known:
            close = near(name, list(known), most=1)
            raise RefusedError(400, f"no parameter `{name}`." + (f" Did you mean `{close[0]}`?" if close else ""))
        if name in found:
            raise RefusedError(400, f"the parameter `{name}` is there twice")
        found[name] = _value(name, value, known[name])
    return found


def _value(name: str, text: str, query: Query) -> object:
    match query.kind:
        case "text":
            return text
        case "boolean":
            if text in {"true", "false"}:
                return text == "true"
            raise RefusedError(400, f"`{name}` is true or false")
        case "number":
            if _number.fullmatch(text):
                return int(text)
            raise RefusedError(400, f"`{name}` is a whole number")
