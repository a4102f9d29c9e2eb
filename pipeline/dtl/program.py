"""Rules at work: an entity in, entities out. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pipeline.dtl.compile import Compiler
from pipeline.dtl.dependants import Dependants
from pipeline.dtl.errors import DtlError
from pipeline.dtl.joins import lookups
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import DEFAULT
from pipeline.dtl.paths import parts_of, sought
from pipeline.dtl.registry import Signal, Step
from pipeline.dtl.scope import Host, Scope
from pipeline.dtl.tree import Block, Call
from pipeline.dtl.values import same
from pipeline.dtl.wildcards import matcher
from pipeline.entity import Entity, typing
from pipeline.state.values import values_at


class Trigger(NamedTuple):
    """What an entity has at a path for which rules are meant; `*` in a text stands for any characters."""

    path: str
    value: str | float

    def compiled(self, namespaces: Namespaces | None) -> Callable[[Entity], bool]:
        """Whether an entity has it."""
        path = sought(parts_of(self.path), namespaces)
        value = self.value
        if isinstance(value, str):
            fits = matcher(value)
            return lambda entity: any(isinstance(one, str) and fits(one) for one in values_at(entity, path))
        return lambda entity: any(same(one, value) for one in values_at(entity, path))


class Program:
    """A transform: the rule `default` for each entity."""

    def __init__(
        self,
        rules: Mapping[str, Block],
        host: Host,
        namespaces: Namespaces | None = None,
        *,
        id_required: bool = True,
        trigger: Trigger | None = None,
    ) -> None:
        """Take rules without faults. With a `trigger` entities that do not have it are left as they are."""
        self._host = host
        self._typed = typing()
        self.rules, self.namespaces = rules, namespaces
        self._calls = rules[DEFAULT].calls
        self._compiler = Compiler(rules, namespaces)
        self._steps = self._compiler.rule(DEFAULT)
        self.lookups = sorted({(name, sought(path, namespaces)) for name, path in lookups(rules.values())})
        """The datasets that are joined, with the paths by which: what an index is good for."""
        self._id_required = id_required
        self._is_meant = None if trigger is None else trigger.compiled(namespaces)

    def __call__(self, entity: Entity) -> Sequence[Entity]:
        """What the rules create of an entity, then its target; one that is filtered says so with `_filtered`.

        The target begins with the `_id` of its source, and is deleted if its source is.
        """
        if self._is_meant is not None and not self._is_meant(entity):
            return (entity,)
        source = self._typed(entity)
        scope = Scope(source, started(source), self._host)
        signal: Signal | None = None
        try:
            for step in self._steps:
                signal = step(scope)
                if signal is not None:
                    break
        except RecursionError as error:
            raise DtlError("nested too deeply", "rules", (DEFAULT,)) from error
        return self.end(scope, signal)

    def compiled_by(self, compiler: Compiler) -> None:
        """Run from now on what another compiler makes of the same rules."""
        self._steps = compiler.rule(DEFAULT)

    def bind(self, parameters: Mapping[str, Any]) -> None:
        """Let `_B` be these from now on."""
        self._host.parameters = parameters

    def is_for(self, entity: Entity) -> bool:
        """Whether the rules are meant for an entity."""
        return self._is_meant is None or self._is_meant(entity)

    @cached_property
    def dependants(self) -> Dependants:
        """The ways back from what is joined."""
        return Dependants(self.rules, self._compiler, self._host)

    @property
    def steps(self) -> Sequence[tuple[Call, Step]]:
        """The transforms of the rule `default`, as they are written and as they run."""
        return list(zip(self._calls, self._steps, strict=True))

    def begin(self, entity: Entity) -> Scope:
        """The variables before the first transform."""
        source = self._typed(entity)
        return Scope(source, started(source), self._host)

    def end(self, scope: Scope, signal: Signal | None) -> Sequence[Entity]:
        """What comes out, after the last transform that was carried out."""
        made = scope.created
        if signal != "discard":
            if signal == "filter":
                scope.t["_filtered"] = True
            made.append(scope.t)
        if self._id_required:
            for one in made:
                if "_id" not in one or type(one["_id"]) is not str:
                    raise DtlError("the target has no `_id` that is a string", "rules", (DEFAULT,), _id_of(one))
        return made


def started(source: Any) -> Entity:
    """A target before the first transform."""
    target: Entity = {}
    if type(source) is dict:
        if "_id" in source:
            target["_id"] = source["_id"]
        if source.get("_deleted") is True:
            target["_deleted"] = True
    return target


def _id_of(entity: Entity) -> str:
    found = entity.get("_id")
    return "" if found is None else f"a {type(found).__name__}"
