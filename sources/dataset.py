"""A dataset as a source, as declared. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Many, Refers, SourceConfig
from pipeline.entity import Entity

if TYPE_CHECKING:
    from pipeline.config.given import Given


class ContinuationConfig(SourceConfig):
    """What a source says about going on where the last run stopped."""

    supports_since: bool | None = None
    """Whether the source can leave out what was read before. Default: what the source can do."""
    is_since_comparable: bool | None = None
    """Whether of two positions one can say which is later."""
    is_chronological: bool | None = None
    """Whether entities come in the order of their changes."""
    initial_since_value: str | int | None = None
    """The position of the first run."""


class DatasetSourceConfig(ContinuationConfig):
    """The entities of a dataset that another pipe writes."""

    type: Literal["dataset"]
    """`dataset`."""
    dataset: Annotated[str, Refers("dataset")]
    """The dataset to read."""
    include_previous_versions: bool = False
    """Whether older versions of the entities are read too."""
    include_replaced: bool = True
    """Whether entities that a merge replaced are read too."""
    subset: Many[object] | None = None
    """Read only the entities for which this expression holds."""
    completeness: bool | Many[str] | None = None
    """Wait until these datasets are complete."""
    require_populated_input: bool | None = None
    """Wait until the dataset has been filled once."""
    supports_signalling: bool | None = None
    """Start a run as soon as the dataset changes."""
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run does when there is no entity."""

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """What is known of the dataset, or nothing where only a part of it is read."""
        name = given.text("dataset")
        return None if name is None or given.has("subset") else dataset(name)
