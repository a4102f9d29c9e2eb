"""One of several components, chosen by a value: what conditional sources, transforms and sinks share. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from pipeline.component import ComponentConfig
from pipeline.config.given import unmatched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.config.given import Given
    from pipeline.errors import Problem

C = TypeVar("C", bound=ComponentConfig)


class Conditional(ComponentConfig):
    """The component that the condition names. Which kind it is of says the field `alternatives` of a subclass."""

    type: Literal["conditional"]
    """`conditional`."""
    condition: str
    """The name of the alternative to use; normally an `$ENV()`."""
    if TYPE_CHECKING:
        alternatives: Mapping[str, ComponentConfig]

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The condition names an alternative."""
        return unmatched(given)

    @property
    def build(self) -> Callable[[Any], Any]:
        """That of the chosen component; missing as it is there, where one can only be declared."""
        build: Callable[[Any], Any] = self.alternatives[self.condition].build  # type: ignore[attr-defined]
        return build


def chosen(part: C | None) -> C | None:
    """The component itself, or the one that a condition chooses, through any number of them."""
    while isinstance(part, Conditional):
        part = cast("C", part.alternatives[part.condition])
    return part
