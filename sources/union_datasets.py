"""Several datasets as one source. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Refers, SourceContext
from pipeline.entity import Entity
from sources.dataset import ContinuationConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from sources.dataset_read import UnionDatasets


class UnionDatasetsConfig(ContinuationConfig):
    """The entities of several datasets, one dataset after the other."""

    type: Literal["union_datasets"]
    """`union_datasets`."""
    datasets: Annotated[Many[str], Refers("dataset"), Field(min_length=1)]
    """The datasets to read."""
    prefix_ids: bool = True
    """Whether each `_id` becomes `dataset:_id`, so that entities of two datasets cannot meet."""
    include_previous_versions: bool = False
    """Whether older versions of the entities are read too."""
    include_replaced: bool = True
    """Whether entities that a merge replaced are read too."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""

    def build(self, context: SourceContext) -> UnionDatasets:
        """The source itself."""
        from sources.dataset_read import UnionDatasets  # noqa: PLC0415 - entities are for those who run

        return UnionDatasets(
            context.datasets,
            self.datasets,
            prefixes=self.prefix_ids,
            lasting=self.supports_since is not False,
            history=self.include_previous_versions,
            replaced=self.include_replaced,
            fails=self.if_source_empty == "fail",
        )

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """What is known of all the datasets together."""
        names = given.get("datasets")
        found = [dataset(str(name)) for name in names] if isinstance(names, list | tuple) else [None]
        known = [entities for entities in found if entities is not None]
        return [entity for entities in known for entity in entities] if len(known) == len(found) else None
