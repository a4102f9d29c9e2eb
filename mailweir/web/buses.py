"""Messages are published to a bus, and entities put into its registry. They are safe before the answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw
from msgspec.json import Decoder

from mailweir.bus import EXPIRES_AFTER, Bus, BusError, TakenError, UnfitError
from mailweir.systems_of import Systems
from mailweir.web.route import Body, Query, RefusedError, Reply, Route
from pipeline.alternatives import chosen
from pipeline.config.near import near
from pipeline.errors import SourceError
from sources.bus import BusSourceConfig
from sources.json_text import object_of
from sources.parts import Fault, Place
from systems.bus.config import BusConfig

if TYPE_CHECKING:
    from starlette.responses import Response

    from mailweir.web.route import Call
    from mailweir.web.site import Site
    from pipeline.entity import Entity

# As of what is handed in for a pipe.
MOST_BYTES: Final = 16 * 2**20

_mail: Final = {"type": "object", "properties": {"_id": {"type": "string"}}}
_message: Final = {"oneOf": [{"type": "object"}, {"type": "string"}]}
_many: Final = Decoder(list[Raw])
_text: Final = Decoder(str)


class Buses:
    """The answers."""

    def __init__(self, site: Site) -> None:
        """For the buses of what is served."""
        self._site = site
        self._of = ""
        self._open: dict[str, Bus] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> list[Route]:
        """For those who may hand in entities."""
        ids = {"type": "array", "items": {"type": "string"}}
        return [
            Route(
                "POST",
                "/api/buses/{bus}/topics/{topic}/messages",
                "publishMessages",
                "send",
                "Publish to a topic of a bus: a message, or a list of them. A message is an entity, or a key of the"
                " registry. They are with the broker, or in the state, before the answer; an entity without an `_id`"
                " gets one.",
                self.publish,
                body=Body({"oneOf": [*_message["oneOf"], {"type": "array", "items": _message}]}, MOST_BYTES),
                replies={200: Reply("They are published.", {"type": "object", "properties": {"published": ids}})},
                refuses={
                    400: "a message is not right; `detail` has its place",
                    404: "no such bus",
                    413: "too long",
                    503: "the bus takes nothing just now; some may be there, and may be published again as they are",
                },
            ),
            Route(
                "POST",
                "/api/buses/{bus}/registry",
                "putEntity",
                "send",
                "Put an entity into the registry of a bus. Published, its key becomes the entity.",
                self.put,
                query={
                    "key": Query("text", "the key; without one a new one is made"),
                    "expires_after": Query("number", "after how many seconds it is gone: 86400 unless you say so"),
                },
                body=Body(_mail, MOST_BYTES),
                replies={200: Reply("It is kept.", {"type": "object", "properties": {"key": {"type": "string"}}})},
                refuses={
                    400: "the entity or the key is not right",
                    404: "no such bus",
                    409: "the key has another entity",
                    413: "too long",
                    503: "it cannot be kept just now",
                },
            ),
        ]

    async def publish(self, call: Call) -> Response:
        """Publish, then answer."""
        topic = call.path["topic"]
        name = call.path["bus"]
        async with self._turns[name]:
            bus = self._bus(name)
            messages = _messages(call.body)
            try:
                published = await asyncio.to_thread(bus.publish, topic, *messages)
            except UnfitError as error:
                raise RefusedError(400, str(error)) from None
            except BusError as error:
                raise RefusedError(503, str(error)) from None
        for pipe in self._readers(name, topic):
            self._site.service.arrived(pipe)
        return self._site.document({"published": published})

    async def put(self, call: Call) -> Response:
        """Put, then answer."""
        bus = self._bus(call.path["bus"])
        found = _entity(call.body)
        seconds = call.query.get("expires_after", EXPIRES_AFTER)
        try:
            key = await asyncio.to_thread(bus.put, found, call.query.get("key", ""), float(seconds))
        except TakenError as error:
            raise RefusedError(409, str(error)) from None
        except UnfitError as error:
            raise RefusedError(400, str(error)) from None
        except BusError as error:
            raise RefusedError(503, str(error)) from None
        return self._site.document({"key": key})

    def close(self) -> None:
        """Leave."""
        for bus in self._open.values():
            bus.close()
        self._open = {}

    def _bus(self, name: str) -> Bus:
        """A bus of what is served just now."""
        config = self._site.config
        if self._of != config.hash:
            self.close()
            self._of = config.hash
        if name not in self._open:
            systems = Systems(config.loaded, state=self._site.folder)
            known = [one.id for one in systems.configs(BusConfig)]
            if name not in known:
                close = near(name, known, most=1)
                raise RefusedError(404, f"no bus `{name}`" + (f". Did you mean `{close[0]}`?" if close else ""))
            self._open[name] = Bus(systems, name)
        return self._open[name]

    def _readers(self, bus: str, topic: str) -> list[str]:
        """The pipes that wait for messages of a topic."""
        sources = {name: chosen(pipe.source) for name, pipe in self._site.config.pipes.items()}
        return [
            name
            for name, source in sources.items()
            if isinstance(source, BusSourceConfig) and (source.system, source.topic) == (bus, topic)
        ]


def _messages(body: bytes) -> list[Entity | str]:
    try:
        if body.lstrip()[:1] == b"[":
            return [_one(bytes(raw), f"message {place}") for place, raw in enumerate(_many.decode(body), 1)]
    except (DecodeError, UnicodeDecodeError, RecursionError):
        _entity(body)  # which says where it is broken
    return [_one(body, "body")]


def _one(data: bytes, name: str) -> Entity | str:
    if data.lstrip()[:1] == b'"':
        try:
            return _text.decode(data)
        except (DecodeError, UnicodeDecodeError):
            pass
    return _entity(data, name)


def _entity(data: bytes, name: str = "body") -> Entity:
    made = object_of(data, name, Place())
    if isinstance(made, Fault):
        raise RefusedError(400, str(SourceError(made.problem, made.text, made.place.line, made.place.column)))
    return made
