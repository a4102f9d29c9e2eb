"""A source without entities. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pipeline.component import Context, SourceConfig
from pipeline.entity import Entity


class EmptyConfig(SourceConfig):
    """A source without entities: a pipe that only other things start, or that is switched off for a while."""

    type: Literal["empty"]
    """`empty`."""
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run does that meets no entity, as every run does."""

    def build(self, context: Context) -> Empty:
        """The source itself."""
        return Empty()


class Empty:
    """Gives nothing."""

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """No batch."""
        yield from ()
