"""One of several transforms, chosen by a value. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

from pipeline.component import Context, Slot, Transform, TransformConfig
from pipeline.config.given import unmatched

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem


class ConditionalTransformConfig(TransformConfig):
    """The transform that the condition names: names made up in a test, those that are there in production."""

    type: Literal["conditional"]
    """`conditional`."""
    condition: str
    """The name of the alternative to use; normally an `$ENV()`."""
    alternatives: Annotated[dict[str, TransformConfig], Slot("transform", "object")]
    """The transforms by name. Every value that the condition can have must be there."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The condition names an alternative."""
        return unmatched(given)

    @property
    def build(self) -> Callable[[Context], Transform]:
        """That of the chosen transform; missing as it is there, where one can only be declared."""
        return cast("_Runs", self.alternatives[self.condition]).build


class _Runs(Protocol):
    def build(self, context: Context) -> Transform: ...
