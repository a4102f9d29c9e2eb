"""One expression, or one transform, tried with an entity. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.dtl.compile import Compiler
from pipeline.dtl.errors import DtlError, written
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.functions.transforms import carried_out
from pipeline.dtl.namespaces import Namespaces
from pipeline.dtl.parse import DEFAULT, Fault, parse, parse_expression
from pipeline.dtl.scope import Host, Scope
from pipeline.entity import typed

NONE: Final[Mapping[str, Any]] = {}


class RulesError(ValueError):
    """Rules that cannot be compiled; `faults` says why."""

    def __init__(self, faults: list[Fault]) -> None:
        """The message names all of them."""
        super().__init__("; ".join(f"{written(('', *one.place))}: {one.message}" for one in faults))
        self.faults = faults


def is_transform(expression: Any) -> bool:
    """Whether this is transforms rather than an expression; what may be both is an expression."""
    if type(expression) is not list or not expression:
        return False
    first = expression[0]
    if isinstance(first, str):
        return first in REGISTRY.transforms and first not in REGISTRY.expressions
    return type(first) is list


def evaluated(
    expression: Any,
    source: Any,
    target: Any,
    host: Host,
    namespaces: Namespaces | None = None,
    rules: Mapping[str, Any] = NONE,
) -> Any:
    """The value of an expression, which may apply some rules; RulesError or DtlError."""
    return evaluating(expression, namespaces, rules)(source, target, host)


def evaluating(
    expression: Any, namespaces: Namespaces | None = None, rules: Mapping[str, Any] = NONE
) -> Callable[[Any, Any, Host], Any]:
    """What gives the value of an expression for a source and a target; RulesError."""
    node, parsed = parse_expression(expression, rules, REGISTRY)
    if node is None or parsed.faults:
        raise RulesError(parsed.faults)
    run = Compiler(parsed.rules, namespaces).expression(node)

    def value(source: Any, target: Any, host: Host) -> Any:
        scope = _scope(source, target, host)
        # Tried alone, `_` is what it is tried with.
        scope.v = scope.s
        return _run(run, scope)

    return value


def transformed(
    rule: Any,
    source: Any,
    target: Any,
    host: Host,
    namespaces: Namespaces | None = None,
    rules: Mapping[str, Any] = NONE,
) -> Any:
    """The target after a transform, or after several; None where there is none. RulesError or DtlError.

    Before it the target is what is given, or empty.
    """
    return transforming(rule, namespaces, rules)(source, target, host)


def transforming(
    rule: Any, namespaces: Namespaces | None = None, rules: Mapping[str, Any] = NONE
) -> Callable[[Any, Any, Host], Any]:
    """What gives the target of a source and the target before; RulesError."""
    parsed = parse({**rules, DEFAULT: rule}, REGISTRY)
    if parsed.faults:
        raise RulesError(parsed.faults)
    steps = Compiler(parsed.rules, namespaces).rule(DEFAULT)

    def made(source: Any, target: Any, host: Host) -> Any:
        scope = _scope(source, target, host)
        signal = _run(lambda inner: carried_out(steps, inner), scope)
        if signal == "discard":
            return None
        if signal == "filter":
            scope.t["_filtered"] = True
        return scope.t

    return made


def _scope(source: Any, target: Any, host: Host) -> Scope:
    return Scope({} if source is None else typed(source), dict(typed(target)) if target else {}, host)


def _run(run: Any, scope: Scope) -> Any:
    try:
        return run(scope)
    except RecursionError as error:
        raise DtlError("nested too deeply", "rules", (DEFAULT,)) from error


def namespaces_of(pipe: Mapping[str, Any], id: str = "") -> Namespaces | None:
    """The namespaces that a pipe declares; None if its names have none."""
    if pipe.get("namespaced_identifiers") is not True:
        return None
    given = pipe.get("namespaces")
    names = given if isinstance(given, Mapping) else {}
    own = str(pipe.get("_id") or id)
    return Namespaces(str(names.get("identity") or own), str(names.get("property") or own))
