"""One of several sinks."""

from typing import Any, Literal

from pipeline.component import SinkConfig
from sinks.conditional import ConditionalSinkConfig
from sinks.null import Null, NullConfig


class DeclaredConfig(SinkConfig):
    """A sink that can only be declared."""

    type: Literal["declared"]


alternatives = {
    "test": NullConfig.model_validate({"type": "null"}),
    "prod": DeclaredConfig.model_validate({"type": "declared"}),
}


def chosen(condition: str) -> ConditionalSinkConfig:
    """The sink with this condition."""
    return ConditionalSinkConfig.model_validate(
        {"type": "conditional", "condition": condition, "alternatives": alternatives}
    )


def test_the_chosen_sink_is_built() -> None:
    """The one that the condition names; one that can only be declared cannot be built here either."""
    context: Any = None
    assert isinstance(chosen("test").build(context), Null)
    assert not hasattr(chosen("prod"), "build")
