"""A dataset as a sink: entities are kept by the state, where other pipes read them. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, SinkConfig, SinkContext, Writes
from pipeline.config.given import advice
from pipeline.config.tree import Array

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sinks.dataset_write import DatasetSink, Settings


class DatasetSinkConfig(SinkConfig):
    """Entities end in a dataset, where other pipes read them."""

    type: Literal["dataset"]
    """`dataset`; may be left out."""
    dataset: Annotated[str | None, Writes()] = None
    """The dataset to write. Default: the `_id` of the pipe."""
    indexes: Literal["$ids"] | Many[object] | None = None
    """Properties to keep an index of, for joins: `["email", "address.zip"]`, or `$ids`."""
    set_initial_offset: Literal["if-source-populated", "never", "always", "initially", "onload"] | None = None
    """Read from Sesam configurations and ignored."""
    track_children: bool | None = None
    """Read from Sesam configurations and ignored."""
    deletion_tracking: bool = True
    """Whether entities that a full run no longer sees are deleted."""
    mark_deletion_tracked: bool = False
    """Whether such deletes carry `$deletion_tracked`."""
    enable_optimistic_locking: bool = False
    """Refuse an entity whose `_previous` is not the `_updated` of the stored version."""
    circuit_breaker_threshold_factor: float | None = Field(default=None, ge=0)
    """Stop a run that changes more than this part of the dataset, unless it is empty."""
    circuit_breaker_threshold_count: int | None = Field(default=None, ge=0)
    """Stop a run that changes more than so many entities of a dataset, unless it is empty."""
    prevent_multiple_versions: bool = False
    """Keep only the latest version of an entity."""
    suppress_filtered: bool | None = None
    """Do not store that an entity was filtered out which was never stored. Default: yes."""
    max_entity_bytes_size: int | None = Field(default=None, ge=1)
    """Refuse larger entities."""
    batch_size: int | None = Field(default=None, ge=1)
    """How many entities are written together. Default: 4096."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """Indexes are of properties."""
        names = given.get("indexes")
        member = given.node.members.get("indexes")
        written = member.value.items if member is not None and isinstance(member.value, Array) else ()
        for place, name in enumerate(names if isinstance(names, list | tuple) else ()):
            if not isinstance(name, str) or not all(name.removeprefix("_S.").split(".")):
                at = given.document.span(written[place]) if place < len(written) else given.value("indexes")
                help_ = advice('name a property, or the way to one: `["email", "address.zip"]`')
                message = "an index is of a property"
                yield given.problem("E203", message, "indexes", at=at, label="not the name of one", notes=(help_,))

    def build(self, context: SinkContext) -> DatasetSink:
        """The sink itself."""
        from sinks.dataset_write import DatasetSink  # noqa: PLC0415 - entities are for those who run

        running = context.run
        return DatasetSink(context.pipe, self.settings(context.pipe), running.state.datasets, running.stopping.is_set)

    def settings(self, pipe: str) -> Settings:
        """What is declared, as plain values."""
        from sinks.dataset_write import MANY, Settings  # noqa: PLC0415 - as above

        return Settings(
            self.dataset or pipe,
            paths(self.indexes),
            tracks=self.deletion_tracking,
            marks=self.mark_deletion_tracked,
            locks=self.enable_optimistic_locking,
            most_part=self.circuit_breaker_threshold_factor,
            most=self.circuit_breaker_threshold_count,
            history=not self.prevent_multiple_versions,
            tombstones=self.suppress_filtered is False,
            largest=self.max_entity_bytes_size,
            batch=self.batch_size or MANY,
        )


def paths(indexes: object) -> tuple[tuple[str, ...], ...]:
    """The paths of properties that `indexes` names."""
    names = [indexes] if isinstance(indexes, str) else indexes if isinstance(indexes, tuple) else ()
    return tuple(tuple(name.removeprefix("_S.").split(".")) for name in names if isinstance(name, str))
