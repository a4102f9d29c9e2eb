"""Entities written in the configuration itself. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Context, Entities, Many, SourceConfig
from pipeline.entity import Entity, typing

if TYPE_CHECKING:
    from pipeline.config.given import Given


class EmbeddedConfig(SourceConfig):
    """Entities written in the configuration itself."""

    type: Literal["embedded"]
    """`embedded`."""
    entities: Annotated[Many[dict[str, object]], Entities()]
    """The entities, in order."""
    system: str | None = None
    """Read from Sesam configurations and ignored."""
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run does that reads all of the source and meets no entity. A list that is empty is so on purpose."""

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """The entities themselves."""
        entities = given.get("entities")
        whole = isinstance(entities, list | tuple) and all(isinstance(entity, dict) for entity in entities)
        return list(entities) if whole and isinstance(entities, list | tuple) else None

    def build(self, context: Context) -> Embedded:
        """The source itself."""
        return Embedded(self.entities)


class Embedded:
    """Gives what was added since the last run; all of it, if the entities from before are not as they were.

    Its position is how many there are, with a fingerprint of them.
    """

    def __init__(self, entities: Sequence[Entity]) -> None:
        """Keep the entities."""
        self._written = entities
        self.entities = list(map(typing(), entities))
        self.afresh = False

    def knows(self, since: str) -> bool:
        """Whether this is a position in what is read."""
        return (count := since.partition(".")[0]).isascii() and count.isdigit() and since == self._position(int(count))

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """All entities after the position `since`, in one batch."""
        count = (since or "").partition(".")[0]
        done = int(count) if count.isascii() and count.isdigit() else 0
        self.afresh = since != self._position(done)
        if self.afresh:
            done = 0
        if done < len(self.entities):
            yield list(self.entities[done:]), self._position(len(self.entities))

    def _position(self, count: int) -> str:
        text = json.dumps(self._written[:count], sort_keys=True, separators=(",", ":"))
        return f"{count}.{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
