"""What would become of an entity, for programs: nothing is sent, stored or connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mailweir.web.asked import object_of, text_at
from mailweir.web.route import Body, RefusedError, Reply, Route

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site

MOST_CHARACTERS: Final = 500_000
_names: Final = ("pipe", "entity", "now")
_body: Final = {
    "type": "object",
    "properties": {
        "pipe": {"type": "string", "description": "The `_id` of the pipe."},
        "entity": {"type": "string", "maxLength": MOST_CHARACTERS, "description": "An entity or a list, as JSON text."},
        "now": {"type": "string", "description": "What the clock shows. Default: 2026-01-01T12:00:00Z."},
    },
    "required": ["pipe", "entity"],
    "additionalProperties": False,
}
_found: Final = {
    "type": "object",
    "properties": {
        "faults": {"type": "array", "items": {"type": "string"}},
        "entities": {"type": "array", "items": {"type": "object"}},
        "mails": {"type": "array", "items": {"type": "object"}},
        "logs": {"type": "array", "items": {"type": "string"}},
        "mailing": {"type": "boolean"},
    },
    "required": ["faults"],
}


class Preview:
    """The answer."""

    def __init__(self, site: Site) -> None:
        """Of this service."""
        self._site = site

    def routes(self) -> list[Route]:
        """For those who may see contents."""
        return [
            Route(
                "POST", "/api/v1/preview", "preview", "content",
                "What would become of an entity. Secrets are invented, and nothing is sent.",
                self.preview, body=Body(_body), replies={200: Reply("What came of it, or why nothing did.", _found)},
                refuses={404: "no such pipe"}, session=True,
            )
        ]  # fmt: skip

    async def preview(self, call: Call) -> Response:
        """All of it."""
        given = object_of(call.body, _names)
        pipe = text_at(given, "pipe", most=1000)
        wish: dict[str, Any] = {
            "pipe": known(self._site, call, pipe),
            "entity": text_at(given, "entity", most=MOST_CHARACTERS),
            "now": text_at(given, "now", most=100, usual=""),
        }
        return self._site.document(await self._site.tried(wish))


def pipes_for(site: Site, call: Call) -> list[str]:
    """The pipes whose contents the caller may see."""
    return [name for name in site.config.pipes if call.may("content", name)]


def known(site: Site, call: Call, pipe: str) -> str:
    """A pipe that there is, and that the caller may look into."""
    if pipe not in site.config.pipes:
        raise RefusedError(404, f"there is no pipe `{pipe[:100]}`")
    if not call.may("content", pipe):
        raise RefusedError(403, f"this token may not see entities of `{pipe[:100]}`")
    return pipe
