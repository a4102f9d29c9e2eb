"""Entities of several datasets that have the same `_id`, as one. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Refers, SourceContext
from pipeline.entity import Entity
from sources.dataset import ContinuationConfig

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from sources.merge_read import MergeDatasets


class MergeDatasetsConfig(ContinuationConfig):
    """The entities of several datasets; those with the same `_id` become one. A deleted one counts only if all are."""

    type: Literal["merge_datasets"]
    """`merge_datasets`."""
    datasets: Annotated[Many[str], Refers("dataset"), Field(min_length=1)]
    """The datasets to read."""
    strategy: Literal["latest", "all"] = "latest"
    """`latest`: the one that was changed last, as it is. `all`: the properties of all; where their values differ, a
    list of them in the order of the datasets."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """Nothing: what was changed last is not known."""
        return None

    def build(self, context: SourceContext) -> MergeDatasets:
        """The source itself."""
        from sources.merge_read import MergeDatasets  # noqa: PLC0415 - entities are for those who run

        return MergeDatasets(
            context.datasets,
            self.datasets,
            self.strategy,
            lasting=self.supports_since is not False,
            fails=self.if_source_empty == "fail",
        )
