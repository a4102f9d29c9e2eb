"""The same entities of several datasets as one: which ones are the same, rules say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.component import Many, Reference, Refers, SourceContext
from pipeline.config.tree import Array, Scalar
from pipeline.dtl.told import problem_of
from pipeline.entity import NI
from sources.dataset import ContinuationConfig
from sources.merge_rules import host_of, rules_of

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem
    from sources.merge_source import Merge


class MergeConfig(ContinuationConfig):
    """Entities of several datasets that are the same, as one: those that rules join, over any number of steps.

    An `_id` that is no more, since its entities have become others, comes as deleted with `$replaced`.
    """

    type: Literal["merge"]
    """`merge`."""
    version: Literal[1, 2] = 2
    """Both are carried out as version 2 of Sesam."""
    datasets: Annotated[Many[str], Field(min_length=1)]
    """The datasets, each with an alias: `"customers c"`."""
    equality: Many[object] = ()
    """Pairs of values by which entities are the same: `[["eq", "c.email", "u.login"]]`. Each side is a property of one
    dataset, or an expression of it. One common value is enough; null is none."""
    equality_sets: Many[object] = ()
    """Values that are all compared with each other: `[["c.email", "u.login", "o.mail"]]`."""
    identity: Literal["composite", "first"] = "composite"
    """The `_id`: `composite` names all entities with the places of their datasets (`0|c1|1|u7`), `first` is that of the
    first one."""
    strategy: Literal["default", "compact", "list"] = "default"
    """The properties. `default`: all values of all; of several entities a list. `compact`: each value once, alone if it
    is the only one, and no empty lists. `list`: the entities themselves in `$merged`."""
    max_merged: int = Field(default=50_000, ge=1, le=1_000_000)
    """If more entities are the same, the run stops."""
    supports_signalling: bool | None = None
    """Read from Sesam configurations and ignored."""
    initial_datasets: Many[str] | None = None
    """Read from Sesam configurations and ignored."""

    @classmethod
    def faults(cls, given: Given) -> Iterable[Problem]:
        """The rules are of these datasets."""
        names = ("datasets", "equality", "equality_sets")
        values = [given.get(name, ()) for name in names]
        if all(isinstance(value, list | tuple) for value in values):
            for fault in rules_of(*values).faults:  # type: ignore[arg-type]  # lists, as was just asked
                path = (*given.path, str(fault.place[0]))
                yield problem_of(fault, given.document, given.node, path)

    @classmethod
    def references(cls, given: Given) -> Iterator[Reference]:
        """The datasets, without their aliases."""
        member = given.node.members.get("datasets")
        for item in member.value.items if member is not None and isinstance(member.value, Array) else ():
            words = item.value.split() if isinstance(item, Scalar) and isinstance(item.value, str) else []
            if words:
                yield Reference(Refers("dataset"), words[0], item.start, item.end)

    def build(self, context: SourceContext) -> Merge:
        """The source itself."""
        from sources.merge_source import Merge, Merging  # noqa: PLC0415 - entities are for those who run

        merging = Merging(
            rules_of(self.datasets, self.equality, self.equality_sets),
            self.identity,
            self.strategy,
            self.max_merged,
            host_of(context.now()),
            str if context.namespaces() is None else _named,
        )
        return Merge(
            context.datasets,
            merging,
            lasting=self.supports_since is not False,
            fails=self.if_source_empty == "fail",
        )


def _named(id_: str) -> object:
    """Where names have namespaces, an `_id` with one is an identifier."""
    return NI(id_) if ":" in id_ else id_
