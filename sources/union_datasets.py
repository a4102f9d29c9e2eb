"""Several datasets as one source. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Refers, SourceContext
from pipeline.entity import Entity
from pipeline.run import StoppedError
from sources.dataset import ContinuationConfig, merged_away, pages, position, positions

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.state.datasets import Reads


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
    if_source_empty: Literal["accept", "fail"] = "accept"
    """What a run that reads from the start does when there is no entity."""

    def build(self, context: SourceContext) -> UnionDatasets:
        """The source itself."""
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


class UnionDatasets:
    """Reads one dataset after the other; its position has a part for each."""

    def __init__(
        self,
        reads: Reads,
        names: Sequence[str],
        *,
        prefixes: bool = True,
        lasting: bool = True,
        history: bool = False,
        replaced: bool = True,
        fails: bool = False,
    ) -> None:
        """Unless `lasting`, every run reads all; it `fails` if there is nothing at all."""
        self._reads = reads
        self._names = tuple(dict.fromkeys(names))
        self._prefixes = prefixes
        self._lasting = lasting
        self._history = history
        self._replaced = replaced
        self._fails = fails
        self.afresh = False

    def read(self, since: str | None) -> Iterator[tuple[Sequence[Entity], str | None]]:
        """A page at a time, up to what was there when it began."""
        found = [self._reads.dataset(name) for name in self._names]
        if self._fails and not any(one is not None and one.last for one in found):
            raise StoppedError(f"the datasets {', '.join(f'`{name}`' for name in self._names)} are empty")
        at, self.afresh = positions(since, found)
        for place, (name, one) in enumerate(zip(self._names, found, strict=True)):
            if one is None:
                continue
            for entities, reached in pages(self._reads, one.number, at[place], one.last, history=self._history):
                at[place] = reached
                wanted = entities if self._replaced else merged_away(entities)
                if self._prefixes:
                    for entity in wanted:
                        entity["_id"] = f"{name}:{entity['_id']}"
                yield wanted, position(found, at) if self._lasting else None
