"""One of several sinks, chosen by a value. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

from pipeline.component import Context, Sink, SinkConfig, Slot
from pipeline.config.given import unmatched

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class ConditionalSinkConfig(SinkConfig):
    """The sink that the condition names: real mail in production, nothing in a test."""

    type: Literal["conditional"]
    """`conditional`."""
    condition: str
    """The name of the alternative to use; normally an `$ENV()`."""
    alternatives: Annotated[dict[str, SinkConfig], Slot("sink", "object", default="dataset")]
    """The sinks by name. Every value that the condition can have must be there."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The condition names an alternative."""
        return unmatched(given)

    @property
    def build(self) -> Callable[[Context], Sink]:
        """That of the chosen sink; missing as it is there, where one can only be declared."""
        return cast("_Runs", self.alternatives[self.condition]).build


def chosen(sink: SinkConfig | None) -> SinkConfig | None:
    """The sink itself, or the one that a condition chooses, through any number of them."""
    while isinstance(sink, ConditionalSinkConfig):
        sink = sink.alternatives[sink.condition]
    return sink


class _Runs(Protocol):
    def build(self, context: Context) -> Sink: ...
