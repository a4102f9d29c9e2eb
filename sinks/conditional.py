"""One of several sinks, chosen by a value. No I/O."""

from __future__ import annotations

from typing import Annotated

from pipeline.alternatives import Conditional
from pipeline.component import SinkConfig, Slot


class ConditionalSinkConfig(Conditional, SinkConfig):
    """The sink that the condition names: real mail in production, nothing in a test."""

    alternatives: Annotated[dict[str, SinkConfig], Slot("sink", "object", default="dataset")]
    """The sinks by name. Every value that the condition can have must be there."""
