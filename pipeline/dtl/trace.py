"""What each transform of rules does to an entity, and to the values that rules are applied to. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pipeline.dtl.compile import Compiler
from pipeline.dtl.errors import DtlError, shown, written
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import DEFAULT
from pipeline.dtl.program import Program
from pipeline.dtl.registry import Signal, Step
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Block, Call
from pipeline.entity import Entity

# Lines for one entity: more nobody reads.
MOST_TOLD: Final = 500


class Did(NamedTuple):
    """What a transform did: where it stands, its name, and what came of it, in short.

    `level` is how deep: the transforms of an `if` and of a rule that is applied stand below what they belong to.
    """

    where: str
    name: str
    what: str
    level: int = 0


def traced(program: Program, entity: Entity) -> tuple[list[Did], Sequence[Entity], DtlError | None]:
    """What the transforms did one after the other, what came out, and what failed."""
    if not program.is_for(entity):
        return [Did("trigger_on", "dtl", "not meant")], (entity,), None
    told = _Told()
    steps = _TellingCompiler(program.rules, program.namespaces, told).rule(DEFAULT)
    scope = program.begin(entity)
    signal = None
    try:
        for step in steps:
            signal = step(scope)
            if signal is not None:
                break
        return told.lines(), program.end(scope, signal), None
    except DtlError as error:
        return told.lines(), (), error
    except RecursionError:
        return told.lines(), (), DtlError("nested too deeply", "rules", (DEFAULT,))


class _Told:
    """Lines, each in its place before those that stand below it."""

    def __init__(self) -> None:
        self._lines: list[Did | None] = []
        self._level = 0
        self._left_out = 0
        self._scopes: dict[int, Scope] = {}

    def carried_out(self, call: Call, scope: Scope, step: Step) -> Signal | None:
        """What a transform did; it is carried out."""
        if len(self._lines) >= MOST_TOLD:
            self._left_out += 1
            return step(scope)
        if scope is not scope.root and id(scope) not in self._scopes:
            self._scopes[id(scope)] = scope
            self._lines.append(Did(written(call.place[:1]), "of", _value(scope.s), self._level))
        place, level = len(self._lines), self._level
        self._lines.append(None)
        before, created = dict(scope.t), len(scope.root.created)
        self._level += 1
        what = "failed"
        try:
            signal = step(scope)
            what = _what(call, signal, before, scope, scope.root.created[created:], below=len(self._lines) > place + 1)
        finally:
            self._level -= 1
            self._lines[place] = Did(written(call.place), call.name, what, level)
        return signal

    def lines(self) -> list[Did]:
        """All, and how many are left out."""
        found = [one for one in self._lines if one is not None]
        return [*found, Did("", "…", f"{self._left_out:,} more")] if self._left_out else found


class _TellingCompiler(Compiler):
    """Compiles transforms that tell what they did."""

    def __init__(self, rules: Mapping[str, Block], namespaces: Namespaces | None, told: _Told) -> None:
        super().__init__(rules, namespaces)
        self._told = told

    def step(self, call: Call) -> Step:
        step = super().step(call)
        carried_out: Callable[[Call, Scope, Step], Signal | None] = self._told.carried_out
        return lambda scope: carried_out(call, scope, step)


def _what(
    call: Call, signal: Signal | None, before: Entity, scope: Scope, created: Sequence[Entity], *, below: bool
) -> str:
    if signal is not None:
        return "filtered out" if signal == "filter" else "discarded"
    changed = ", ".join(_changes(before, scope.t, created))
    if changed:
        return changed
    return "kept" if call.name in {"filter", "discard"} else "" if below else "nothing"


def _changes(before: Entity, after: Entity, created: Sequence[Entity]) -> Iterator[str]:
    changed = [name for name, value in after.items() if name not in before or before[name] is not value]
    # One property is told with its value, of several the names.
    if len(changed) == 1:
        yield f"{changed[0]} = {_value(after[changed[0]])}"
    else:
        yield from changed
    yield from (f"{name} removed" for name in before if name not in after)
    yield from (f"{one['_id']} created" for one in created if "_id" in one)


def _value(value: Any) -> str:
    return "null" if value is None else shown(value)
