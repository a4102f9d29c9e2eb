"""One of several sources, chosen by a value. No I/O."""

from __future__ import annotations

from typing import Annotated

from pipeline.alternatives import Conditional
from pipeline.component import Slot, SourceConfig


class ConditionalSourceConfig(Conditional, SourceConfig):
    """The source that the condition names: customers from the service in production, from the file in a test."""

    alternatives: Annotated[dict[str, SourceConfig], Slot("source", "object")]
    """The sources by name. Every value that the condition can have must be there."""
