"""Rules that tell what they reach: each transform, each way that a condition can take. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, NamedTuple

from pipeline.dtl.compile import Compiler
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.registry import Run, Signal, Step
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Block, Call, Expression, Literal, Path, Place

# Functions and transforms whose arguments are ways, of which one is taken; the last may be left out.
_CHOOSING: Final = frozenset({"if", "case", "case-eq"})
_ENDING: Final = frozenset({"filter", "discard"})
# It does nothing, so there is nothing to reach.
_COMMENT: Final = "comment"


class Spot(NamedTuple):
    """Something that rules reach or do not: where it stands, the function, and which way of it."""

    place: Place
    function: str
    way: str = ""


Saw = Callable[[Spot], None]


def spots(rules: Mapping[str, Block]) -> Iterator[Spot]:
    """All that these rules can reach, in the order of the text."""
    for block in rules.values():
        yield from _block(block)


def _block(block: Block) -> Iterator[Spot]:
    for call in block.calls:
        if call.name == _COMMENT:
            continue
        if call.name in _ENDING and call.args[0] is not None:
            yield Spot(call.place, call.name, "kept")
            yield Spot(call.place, call.name, "dropped")
        elif call.name not in _CHOOSING:
            yield Spot(call.place, call.name)
        yield from _call(call)


def _call(call: Call) -> Iterator[Spot]:
    if call.name in _CHOOSING:
        yield from (spot for _, spot in _ways(_whole(call)))
    yield from _below(call.args)


def _below(value: Any) -> Iterator[Spot]:
    if isinstance(value, Block):
        yield from _block(value)
    elif isinstance(value, Call):
        yield from _call(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _below(one)
    elif is_dataclass(value) and not isinstance(value, Literal | Path | type):
        # What a join is made of.
        for field in fields(value):
            yield from _below(getattr(value, field.name))


def _whole(call: Call) -> Call:
    """A choice in which the last way is written, too."""
    if call.args[-1] is not None:
        return call
    transforms = isinstance(_pairs(call)[0][1], Block)
    last: Block | Literal = Block((), call.place) if transforms else Literal(None, call.place)
    return replace(call, args=(*call.args[:-1], last))


def _pairs(call: Call) -> list[tuple[Any, Any]]:
    if call.name == "if":
        return [(call.args[0], call.args[1])]
    return [(one, other) for one, other in call.args[-2]]


def _ways(call: Call) -> list[tuple[Block | Expression, Spot]]:
    """The ways of a choice that is whole."""
    pairs = _pairs(call)
    name = call.name
    found = [
        (way, Spot(call.place, name, "then" if len(pairs) == 1 else f"then {number}"))
        for number, (_, way) in enumerate(pairs, 1)
    ]
    return [*found, (call.args[-1], Spot(call.place, name, "else"))]


class WatchedCompiler(Compiler):
    """Compiles rules that tell what they reach."""

    def __init__(self, rules: Mapping[str, Block], namespaces: Namespaces | None, saw: Saw) -> None:
        """`saw` is told each time."""
        super().__init__(rules, namespaces)
        self._saw = saw
        self._told: dict[Block | Expression, Spot] = {}

    def expression(self, node: Expression) -> Run:
        """As its base."""
        spot = self._told.get(node)
        run = super().expression(self._choice(node) if isinstance(node, Call) else node)
        if spot is None:
            return run
        saw = self._saw

        def told(scope: Scope) -> Any:
            saw(spot)
            return run(scope)

        return told

    def block(self, node: Block) -> list[Step]:
        """As its base."""
        spot, steps = self._told.get(node), super().block(node)
        return steps if spot is None else [self._reached(spot), *steps]

    def step(self, call: Call) -> Step:
        """As its base."""
        step = super().step(self._choice(call))
        if call.name == _COMMENT or call.name in _CHOOSING:
            return step
        saw = self._saw
        if call.name in _ENDING and call.args[0] is not None:
            kept, dropped = Spot(call.place, call.name, "kept"), Spot(call.place, call.name, "dropped")

            def ending(scope: Scope) -> Signal | None:
                signal = step(scope)
                saw(kept if signal is None else dropped)
                return signal

            return ending
        reached = self._reached(Spot(call.place, call.name))

        def plain(scope: Scope) -> Signal | None:
            reached(scope)
            return step(scope)

        return plain

    def _choice(self, call: Call) -> Call:
        if call.name not in _CHOOSING:
            return call
        whole = _whole(call)
        self._told |= dict(_ways(whole))
        return whole

    def _reached(self, spot: Spot) -> Step:
        saw = self._saw

        def step(_: Scope) -> Signal | None:
            saw(spot)
            return None

        return step
