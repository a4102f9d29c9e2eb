"""What each transform of a rule does to an entity. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pipeline.dtl.errors import DtlError, shown, written
from pipeline.dtl.program import Program
from pipeline.entity import Entity


class Did(NamedTuple):
    """What a transform did: where it stands, its name, and what came of it, in short."""

    where: str
    name: str
    what: str


def traced(program: Program, entity: Entity) -> tuple[list[Did], Sequence[Entity], DtlError | None]:
    """What the transforms of the rule `default` did one after the other, what came out, and what failed."""
    if not program.is_for(entity):
        return [Did("trigger_on", "dtl", "not meant")], (entity,), None
    scope, done = program.begin(entity), list[Did]()
    signal = None
    for call, step in program.steps:
        before, created = dict(scope.t), len(scope.created)
        try:
            signal = step(scope)
        except DtlError as error:
            return [*done, Did(written(call.place), call.name, "failed")], (), error
        if signal is not None:
            done.append(Did(written(call.place), call.name, "filtered out" if signal == "filter" else "discarded"))
            break
        what = ", ".join(_changes(before, scope.t, scope.created[created:])) or _nothing(call.name)
        done.append(Did(written(call.place), call.name, what))
    try:
        return done, program.end(scope, signal), None
    except DtlError as error:
        return done, (), error


def _nothing(name: str) -> str:
    return "kept" if name in {"filter", "discard"} else "nothing"


def _changes(before: Entity, after: Entity, created: Sequence[Entity]) -> Iterator[str]:
    changed = [name for name, value in after.items() if name not in before or before[name] is not value]
    # One property is told with its value, of several the names.
    if len(changed) == 1:
        yield f"{changed[0]} = {_value(after[changed[0]])}"
    else:
        yield from changed
    yield from (f"{name} removed" for name in before if name not in after)
    yield from (f"{one['_id']} created" for one in created)


def _value(value: Any) -> str:
    return "null" if value is None else shown(value)
