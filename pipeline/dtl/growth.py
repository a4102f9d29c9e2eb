"""Values that transforms set, counted, so that no rules can make more than a machine has room for. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pipeline.dtl.errors import located
from pipeline.dtl.limits import MUCH, weighed
from pipeline.dtl.registry import Making, Run
from pipeline.dtl.scope import LONG, Scope
from pipeline.dtl.signature import Group, Optional
from pipeline.dtl.tree import Block, Call, Expression, Path

# What is outside of a rule that is applied, or of a loop.
_AROUND: Final = frozenset({"_P", "_R"})
_MADE: Final = _AROUND | {"_T"}


def counted(making: Making, call: Call, node: Expression) -> Run:
    """The values that a transform sets; it fails at the call if they, or all that was made so far, are too much."""
    run = making.expression(node)
    if making.constant(run) is not None:
        return run
    if _multiplies(node):
        return _weighing(call, run)
    if isinstance(node, Path):
        return run

    def long(scope: Scope) -> Any:
        value = run(scope)
        if type(value) in LONG and len(value) > MUCH:
            scope.makes(call, len(value))
        return value

    return long


def repeated(making: Making, call: Call, node: Expression) -> Run:
    """What a loop keeps for each value; what comes from around the loop is counted each time."""
    run = making.expression(node)
    if not _repeats(node, inside=True):
        return run

    def each(scope: Scope) -> Any:
        value = run(scope)
        try:
            scope.makes(call, weighed(value))
        except ValueError as error:
            raise located(error, call) from error
        return value

    return each


def _weighing(call: Call, run: Run) -> Run:
    def whole(scope: Scope) -> Any:
        value = run(scope)
        kind = type(value)
        if kind is dict or kind in LONG:
            try:
                size = weighed(value)
            except ValueError as error:
                raise located(error, call) from error
            if scope.level and size > MUCH:
                # Of each value that the rule is applied to there is one.
                scope.makes(call, size)
        return value

    return whole


def _multiplies(node: Expression) -> bool:
    """Whether something may be more often in a value than it was anywhere before.

    So may what is taken from the target, from around a rule that is applied, and from around a loop.
    """
    if isinstance(node, Path):
        return node.variable in _AROUND or (node.variable == "_T" and not node.parts)
    return _repeats(node, inside=False)


def _repeats(node: Any, *, inside: bool) -> bool:
    if isinstance(node, Path):
        return node.variable in _MADE or (inside and node.variable != "_")
    return isinstance(node, Call) and any(_repeats(one, inside=within) for one, within in _parts(node, inside=inside))


def _parts(call: Call, *, inside: bool) -> Iterator[tuple[Any, bool]]:
    """The arguments, and whether each is evaluated for several values."""
    for part, given in zip(call.signature.parts, call.args, strict=True):
        if isinstance(part, Group):
            for one in _flat(given):
                yield one, inside
        else:
            parameter = part.parameter if isinstance(part, Optional) else part
            yield given, inside or parameter.takes == "each"


def _flat(given: Any) -> Iterator[Any]:
    if isinstance(given, list | tuple):
        for one in given:
            yield from _flat(one)
    elif not isinstance(given, Block):
        yield given
