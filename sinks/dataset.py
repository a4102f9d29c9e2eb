"""A dataset as a sink, as declared. No I/O."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.component import Many, SinkConfig, Writes


class DatasetSinkConfig(SinkConfig):
    """Entities end in a dataset, where other pipes read them."""

    type: Literal["dataset"]
    """`dataset`; may be left out."""
    dataset: Annotated[str | None, Writes()] = None
    """The dataset to write. Default: the `_id` of the pipe."""
    indexes: Literal["$ids"] | Many[object] | None = None
    """Properties to keep an index of, for joins."""
    set_initial_offset: Literal["if-source-populated", "never", "always", "initially", "onload"] | None = None
    """When a pipe that reads the dataset may begin."""
    track_children: bool | None = None
    """Whether children that an entity no longer has are deleted. Default: found out from the transforms."""
    deletion_tracking: bool = True
    """Whether entities that a full run no longer sees are deleted."""
    mark_deletion_tracked: bool = False
    """Whether such deletes carry `$deletion_tracked`."""
    enable_optimistic_locking: bool = False
    """Refuse an entity whose `_previous` is not the stored version."""
    circuit_breaker_threshold_factor: float | None = Field(default=None, ge=0)
    """Stop a run that changes more than this part of the dataset."""
    circuit_breaker_threshold_count: int | None = Field(default=None, ge=0)
    """Stop a run that changes more than so many entities."""
    prevent_multiple_versions: bool = False
    """Keep only the latest version of an entity."""
    suppress_filtered: bool | None = None
    """Do not store that an entity was filtered out."""
    max_entity_bytes_size: int | None = Field(default=None, ge=1)
    """Refuse larger entities."""
    batch_size: int | None = Field(default=None, ge=1)
    """How many entities are written together."""
