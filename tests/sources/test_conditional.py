"""One of several sources."""

from typing import Any, Literal

from pipeline.component import SourceConfig
from sources.conditional import ConditionalSourceConfig
from sources.embedded import Embedded, EmbeddedConfig


class DeclaredConfig(SourceConfig):
    """A source that can only be declared."""

    type: Literal["declared"]


alternatives = {
    "test": EmbeddedConfig.model_validate({"type": "embedded", "entities": [{"_id": "a"}]}),
    "prod": DeclaredConfig.model_validate({"type": "declared"}),
}


def chosen(condition: str) -> ConditionalSourceConfig:
    """The source with this condition."""
    return ConditionalSourceConfig.model_validate(
        {"type": "conditional", "condition": condition, "alternatives": alternatives}
    )


def test_the_chosen_source_is_built() -> None:
    """The one that the condition names; one that can only be declared cannot be built here either."""
    context: Any = None
    built = chosen("test").build(context)
    assert isinstance(built, Embedded)
    assert [list(batch) for batch, _ in built.read(None)] == [[{"_id": "a"}]]
    assert not hasattr(chosen("prod"), "build")
