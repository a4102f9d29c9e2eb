"""One of several sources, chosen by a value, as declared. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Slot, SourceConfig
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
