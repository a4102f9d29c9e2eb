"""What a service has answered, as values: JSON or text, headers, links, and the entities in it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import DecodeError

from pipeline.entity import from_json
from systems.http.exchange import HttpError

_link: Final = re.compile(r"<([^<>]*)>((?:[ \t]*;[ \t]*[A-Za-z*]+[ \t]*=[ \t]*(?:\"[^\"]*\"|[^\s;,\"]*))*)")
_relation: Final = re.compile(r";[ \t]*rel[ \t]*=[ \t]*(?:\"([^\"]*)\"|([^\s;,\"]*))", re.IGNORECASE)
_charset: Final = re.compile(r"charset[ \t]*=[ \t]*\"?([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was read. `body` is the value of JSON, or the text of anything else."""

    status: int
    headers: Mapping[str, Any]
    body: Any
    is_json: bool
    content: bytes
    url: str
    place: str

    @property
    def type(self) -> str:
        """Its type, as the service says."""
        return str(self.headers.get("content-type", ""))


def reply_of(
    status: int, headers: Mapping[str, str], content: bytes, types: Sequence[str], url: str, place: str
) -> Reply:
    """The answer as values. `types` are further media types that are JSON; HttpError for JSON that is broken."""
    said = headers.get("content-type", "")
    media = said.partition(";")[0].strip().lower()
    is_json = media == "application/json" or media.endswith("+json") or media in types
    body: object = None
    if is_json and content.strip():
        try:
            body = from_json(content)
        except (DecodeError, UnicodeDecodeError):
            raise HttpError(f"{place} answers with JSON that is broken") from None
        except RecursionError:
            raise HttpError(f"{place} answers with JSON that is nested too deep") from None
    elif content and not is_json:
        charset = _charset.search(said)
        try:
            body = content.decode(charset[1] if charset else "utf-8", "replace")
        except LookupError:
            body = content.decode("utf-8", "replace")
    known: dict[str, Any] = dict(headers)
    if "link" in headers:
        known["link"] = links(headers["link"])
    return Reply(status, known, body, is_json, content, url, place)


def links(header: str) -> dict[str, str]:
    """The targets in a header `Link` by their relation (RFC 8288)."""
    found: dict[str, str] = {}
    for match in _link.finditer(header):
        relation = _relation.search(match[2])
        for name in (relation[1] or relation[2] or "").lower().split() if relation else ():
            found.setdefault(name, match[1])
    return found


def within(body: Any, way: str | None) -> Any:  # noqa: ANN401 - any value of JSON
    """What is under a property, or under the way with dots that it is; None where nothing is."""
    if way is None:
        return body
    if isinstance(body, Mapping) and way in body:
        return body[way]
    for name in way.split("."):
        if not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body


def items(found: Any) -> Sequence[Any]:  # noqa: ANN401 - as above
    """The items of a list, the one value, or none."""
    if isinstance(found, list):
        return found
    return () if found is None else (found,)
