"""One of several transforms, chosen by a value. No I/O."""

from __future__ import annotations

from typing import Annotated

from pipeline.alternatives import Conditional
from pipeline.component import Slot, TransformConfig


class ConditionalTransformConfig(Conditional, TransformConfig):
    """The transform that the condition names: names made up in a test, those that are there in production."""

    alternatives: Annotated[dict[str, TransformConfig], Slot("transform", "object")]
    """The transforms by name. Every value that the condition can have must be there."""
