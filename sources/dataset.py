"""A dataset as a source: what changed in it, in the order of changes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pipeline.component import Many, Refers, SourceConfig, SourceContext
from pipeline.entity import Entity
from pipeline.run import StoppedError
from sources.dataset_part import Subset, subset_fault, subset_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from pipeline.state.datasets import Dataset, Reads

# Entities that are read with one look.
PAGE: Final = 1024


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
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run that reads from the start does when there is no entity."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """A subset is one that can be read."""
        return subset_fault(given)

    def build(self, context: SourceContext) -> DatasetSource:
        """The source itself."""
        return DatasetSource(
            context.datasets,
            self.dataset,
            subset_of(self.subset),
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


class DatasetSource:
    """Reads what changed since a position: the number of the dataset and `_updated`."""

    def __init__(
        self,
        reads: Reads,
        name: str,
        subset: Subset | None = None,
        *,
        lasting: bool = True,
        history: bool = False,
        replaced: bool = True,
        fails: bool = False,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        self._reads = reads
        self._name = name
        self._subset = subset
        self._lasting = lasting
        self._history = history
        self._replaced = replaced
        self._fails = fails
        self.afresh = False

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began."""
        found = self._reads.dataset(self._name)
        if found is None or not found.last:
            if self._fails:
                raise StoppedError(f"the dataset `{self._name}` is empty")
            return
        number = found.number
        at = after(since, number)
        self.afresh = at is None
        for entities, reached in pages(self._reads, number, at or 0, found.last, history=self._history):
            yield self._wanted(entities), f"{number}.{reached}" if self._lasting else None

    def _wanted(self, entities: Sequence[Entity]) -> Sequence[Entity]:
        if self._subset is not None:
            entities = self._subset.of(entities)
        return entities if self._replaced else merged_away(entities)


def pages(
    reads: Reads, number: int, after: int, upto: int, *, history: bool = False
) -> Iterator[tuple[Sequence[Entity], int]]:
    """The entities of a dataset, page by page, each with the `_updated` that is reached."""
    while after < upto:
        entities, last = reads.page(number, after, upto, PAGE, history=history)
        # What is behind the last entity was replaced meanwhile and comes later.
        after = last if len(entities) == PAGE else upto
        for entity in entities:
            if "_deleted" in entity:
                entity.pop("_filtered", None)
        yield entities, after


def after(since: str | None, number: int) -> int | None:
    """The `_updated` of a position in this dataset; None if it is of another one, or none."""
    dataset, _, updated = (since or "").partition(".")
    return int(updated) if dataset == str(number) and updated.isascii() and updated.isdigit() else None


def positions(since: str | None, found: Sequence[Dataset | None]) -> tuple[list[int], bool]:
    """The `_updated` to go on from in each of several datasets, and whether that is the start of all.

    It is, unless the position is one in these very datasets.
    """
    parts = (since or "").split("|")
    if len(parts) == len(found):
        at = [_after(part, one) for part, one in zip(parts, found, strict=True)]
        known = [one for one in at if one is not None]
        if len(known) == len(at):
            return known, False
    return [0] * len(found), True


def _after(part: str, found: Dataset | None) -> int | None:
    if found is None:
        return 0 if part == "-" else None
    return after(part, found.number)


def position(found: Sequence[Dataset | None], at: Sequence[int]) -> str:
    """The position in several datasets."""
    return "|".join("-" if one is None else f"{one.number}.{updated}" for one, updated in zip(found, at, strict=True))


def merged_away(entities: Sequence[Entity]) -> list[Entity]:
    """Those that no merge has replaced."""
    return [one for one in entities if one.get("$replaced") is not True]
