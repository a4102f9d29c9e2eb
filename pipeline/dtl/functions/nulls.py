"""Functions of what is missing. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import is_true, listed

nulls: Final = Subject("nulls", "Nulls", "Null, the empty list and a list that begins with null count as missing.")


def is_null(value: Any) -> bool:
    """Null, a list of nothing, a list that begins with null."""
    return value is None or (type(value) is list and (not value or value[0] is None))


nulls.values(
    "is-null",
    "VALUES",
    "Whether the first value is missing.",
    shows(["is-null", "_S.none"], True, {}),
    shows(["is-null", ["list", None, 1]], True),
    shows(["is-null", ""], False),
)(is_null)


@nulls.values(
    "is-not-null",
    "VALUES",
    "Whether there is a first value.",
    shows(["is-not-null", "_S.name"], True, {"name": "Kari"}),
    shows(["is-not-null", ["list", None, 1]], False),
    shows(["is-not-null", None], False),
)
def _is_not_null(value: Any) -> bool:
    return not is_null(value)


@nulls.special(
    "if-null",
    "VALUE FALLBACK",
    "VALUE, or FALLBACK if its first value is missing.",
    shows(["if-null", "_S.nick", "_S.name"], "Kari", {"name": "Kari"}),
    shows(["if-null", ["list", 1, 2], 3], [1, 2]),
    shows(["if-null", ["list", None, 2], 3], 3),
)
def _if_null(making: Making, call: Call) -> Run:
    value, fallback = map(making.expression, call.args)

    def run(scope: Scope) -> Any:
        found = value(scope)
        return fallback(scope) if is_null(found) else found

    return run


@nulls.special(
    "coalesce",
    "[FUNCTION:each] VALUES",
    "The first value of a list that is not null, or of which FUNCTION is true.",
    shows(["coalesce", ["list", "_S.nick", "_S.name"]], "Kari", {"name": "Kari"}),
    shows(["coalesce", ["gt", "_.", 2], ["list", 1, 3, 4]], 3),
    shows(["coalesce", None], None),
)
def _coalesce(making: Making, call: Call) -> Run:
    function = None if call.args[0] is None else making.expression(call.args[0])
    values = making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        found = listed(values(scope))
        if function is None:
            return next((value for value in found if value is not None), None)
        scope.looks(call, len(found))
        outer = scope.v
        chosen = None
        for value in found:
            scope.v = value
            if is_true(function(scope)):
                chosen = value
                break
        scope.v = outer
        return chosen

    return run


@nulls.special(
    "coalesce-args",
    "VALUES+",
    "The first argument that is not null. Those after it are not evaluated.",
    shows(["coalesce-args", "_S.nick", "_S.name", "?"], "Kari", {"name": "Kari"}),
    shows(["coalesce-args", None, ["list"], 1], []),
    shows(["coalesce-args", None, None], None),
)
def _coalesce_args(making: Making, call: Call) -> Run:
    runs = [making.expression(node) for node in call.args[0]]

    def run(scope: Scope) -> Any:
        for each in runs:
            found = each(scope)
            if found is not None:
                return found
        return None

    return run
