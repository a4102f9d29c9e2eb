"""A dataset as a source: what changed in it, in the order of changes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Many, Refers, SourceConfig, SourceContext
from pipeline.entity import Entity
from sources.dataset_subset import subset_fault, subset_parts

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.dataset_read import DatasetSource


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
    """Read only the entities for which this holds: `["eq", "_S.country", "NO"]`. One that was among them and is no more
    comes as a deleted one."""
    completeness: bool | Many[str] | None = None
    """Read from Sesam configurations and ignored."""
    require_populated_input: bool | None = None
    """Read from Sesam configurations and ignored."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """A subset is one that can be read."""
        return subset_fault(given)

    def build(self, context: SourceContext) -> DatasetSource:
        """The source itself."""
        from sources.dataset_read import DatasetSource, Subset  # noqa: PLC0415 - entities are for those who run

        parts = None if self.subset is None else subset_parts(self.subset)
        return DatasetSource(
            context.datasets,
            self.dataset,
            None if parts is None else Subset(*parts),
            lasting=self.supports_since is not False,
            history=self.include_previous_versions,
            replaced=self.include_replaced,
            fails=self.if_source_empty == "fail",
        )

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """What is known of the dataset, or nothing where only a part of it is read."""
        name = given.text("dataset")
        return None if name is None or given.has("subset") else dataset(name)
