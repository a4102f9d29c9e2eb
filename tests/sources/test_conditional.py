"""One of several sources."""

from typing import Any

from sources.conditional import ConditionalSourceConfig
from sources.dataset import DatasetSourceConfig
from sources.embedded import Embedded, EmbeddedConfig

alternatives = {
    "test": EmbeddedConfig.model_validate({"type": "embedded", "entities": [{"_id": "a"}]}),
    "prod": DatasetSourceConfig.model_validate({"type": "dataset", "dataset": "customers"}),
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
