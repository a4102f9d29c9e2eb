"""What is not the same in several datasets. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Refers, SourceContext
from sources.dataset import ContinuationConfig

if TYPE_CHECKING:
    from sources.diff_read import DiffDatasets


class DiffDatasetsConfig(ContinuationConfig):
    """The entities that are not the same in all of several datasets, with what each of them has in `$diff`.

    One that is the same again comes as deleted.
    """

    type: Literal["diff_datasets"]
    """`diff_datasets`."""
    datasets: Annotated[Many[str], Refers("dataset"), Field(min_length=2)]
    """The datasets to compare: entities with the same `_id`."""
    whitelist: Many[str] | None = None
    """Only these properties are compared. Default: all."""
    blacklist: Many[str] = ()
    """These properties are not compared."""
    treat_lists_as_sets: bool = False
    """Whether lists are the same if they have the same values, in any order and number."""
    ignore_deletes: bool = False
    """Whether an entity that is deleted in a dataset is as one that was never there."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""
    initial_datasets: Many[str] | None = None
    """Read from Sesam configurations and ignored."""
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run that reads from the start does when there is no entity."""

    def build(self, context: SourceContext) -> DiffDatasets:
        """The source itself."""
        from sources.diff_read import Comparison, DiffDatasets  # noqa: PLC0415 - entities are for those who run

        return DiffDatasets(
            context.datasets,
            self.datasets,
            Comparison(
                None if self.whitelist is None else frozenset(self.whitelist),
                frozenset(self.blacklist),
                self.treat_lists_as_sets,
                self.ignore_deletes,
            ),
            lasting=self.supports_since is not False,
            fails=self.if_source_empty == "fail",
        )
