"""One of several sinks, chosen by a value, as declared. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import SinkConfig, Slot
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
