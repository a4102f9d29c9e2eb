"""A dataset as a source: what changed in it, in the order of changes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.component import Many, Part, Reference, Refers, SourceConfig, SourceContext
from pipeline.config.tree import Array, Object, Scalar
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


class CompletenessConfig(Part):
    """A time that is computed."""

    expression: Many[object]
    """An expression that gives a time: entities that were stored later wait."""


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
    completeness: bool | Many[str] | CompletenessConfig | None = None
    """Read only entities that were stored before the dataset was complete, or before all these datasets upstream were;
    those that came later wait."""
    initial_completeness: Many[str] = ()
    """Read nothing before these datasets have been complete for the first time."""
    require_populated_input: bool | None = None
    """Read from Sesam configurations and ignored."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """A subset is one that can be read, and an expression is right."""
        yield from subset_fault(given)
        if given.get("completeness") is None:
            return
        member = given.node.members.get("completeness")
        if member is not None and isinstance(member.value, Object):
            from sources.dataset_complete import expression_faults  # noqa: PLC0415 - for those who have one

            yield from expression_faults(given, member.value)

    @classmethod
    def references(cls, given: Given) -> Iterator[Reference]:
        """The datasets that have to be complete."""
        for name in ("completeness", "initial_completeness"):
            member = given.node.members.get(name)
            for node in member.value.items if member is not None and isinstance(member.value, Array) else ():
                if isinstance(node, Scalar) and isinstance(node.value, str):
                    yield Reference(Refers("dataset"), node.value, node.start, node.end)

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
            limit=self._limit(context),
        )

    def _limit(self, context: SourceContext) -> Callable[[], int | None]:
        if not self.completeness and not self.initial_completeness:
            return lambda: None
        from sources.dataset_complete import limit_of  # noqa: PLC0415 - for those who have one

        return limit_of(context, self.dataset, self.completeness, self.initial_completeness)

    @classmethod
    def known(cls, given: Given, dataset: Callable[[str], Sequence[Entity] | None]) -> Sequence[Entity] | None:
        """What is known of the dataset, or nothing where only a part of it is read."""
        name = given.text("dataset")
        return None if name is None or given.has("subset") else dataset(name)
