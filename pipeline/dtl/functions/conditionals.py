"""Functions that choose a value. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import is_true, same

conditionals: Final = Subject("conditionals", "Conditionals", "Only the value that is chosen is evaluated.")


@conditionals.special(
    "if",
    "CONDITION THEN [ELSE]",
    "THEN if CONDITION is true, otherwise ELSE; null where there is none.",
    shows(["if", ["gt", "_S.age", 17], "adult", "child"], "adult", {"age": 18}),
    shows(["if", ["list"], 1, 2], 2),
    shows(["if", "_S.none", 1], None, {}),
)
def _if(making: Making, call: Call) -> Run:
    condition, then = making.expression(call.args[0]), making.expression(call.args[1])
    other = making.always(None) if call.args[2] is None else making.expression(call.args[2])
    return lambda scope: then(scope) if is_true(condition(scope)) else other(scope)


@conditionals.special(
    "case",
    "(CONDITION THEN)+ [ELSE]",
    "The THEN of the first CONDITION that is true, otherwise ELSE; null where there is none.",
    shows(["case", ["gte", "_S.age", 18], "adult", ["gte", "_S.age", 13], "teenager", "child"], "child", {"age": 9}),
    shows(["case", ["list"], 1, ["list", 0], 2], 2),
    shows(["case", "_S.none", 1], None, {}),
)
def _case(making: Making, call: Call) -> Run:
    pairs = [(making.expression(condition), making.expression(then)) for condition, then in call.args[0]]
    other = making.always(None) if call.args[1] is None else making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        for condition, then in pairs:
            if is_true(condition(scope)):
                return then(scope)
        return other(scope)

    return run


@conditionals.special(
    "case-eq",
    "VALUE (MATCH THEN)+ [ELSE]",
    "The THEN of the first MATCH that is the same as VALUE, otherwise ELSE; null where there is none.",
    shows(["case-eq", "_S.country", "NO", "Norway", "SE", "Sweden", "elsewhere"], "Sweden", {"country": "SE"}),
    shows(["case-eq", ["list", "a"], "a", 1, 2], 1),
    shows(["case-eq", "_S.none", "NO", "Norway"], None, {}),
)
def _case_eq(making: Making, call: Call) -> Run:
    value = making.expression(call.args[0])
    pairs = [(making.expression(match), making.expression(then)) for match, then in call.args[1]]
    other = making.always(None) if call.args[2] is None else making.expression(call.args[2])

    def run(scope: Scope) -> Any:
        found = value(scope)
        for match, then in pairs:
            if same(found, match(scope)):
                return then(scope)
        return other(scope)

    return run
