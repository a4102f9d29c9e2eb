"""One of several sources, chosen by a value. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

from pipeline.component import Context, Slot, Source, SourceConfig
from pipeline.config.given import unmatched

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class ConditionalSourceConfig(SourceConfig):
    """The source that the condition names: customers from the service in production, from the file in a test."""

    type: Literal["conditional"]
    """`conditional`."""
    condition: str
    """The name of the alternative to use; normally an `$ENV()`."""
    alternatives: Annotated[dict[str, SourceConfig], Slot("source", "object")]
    """The sources by name. Every value that the condition can have must be there."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The condition names an alternative."""
        return unmatched(given)

    @property
    def build(self) -> Callable[[Context], Source]:
        """That of the chosen source; missing as it is there, where one can only be declared."""
        return cast("_Runs", self.alternatives[self.condition]).build


def chosen(source: SourceConfig | None) -> SourceConfig | None:
    """The source itself, or the one that a condition chooses, through any number of them."""
    while isinstance(source, ConditionalSourceConfig):
        source = source.alternatives[source.condition]
    return source


class _Runs(Protocol):
    def build(self, context: Context) -> Source: ...
