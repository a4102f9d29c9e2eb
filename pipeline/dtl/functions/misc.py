"""Functions of no other subject. No I/O."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, Final

from pipeline.dtl.limits import MOST_VALUES, bounded
from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import equal, listed

misc: Final = Subject("misc", "Miscellaneous", "What belongs nowhere else.")


@misc.special(
    "literal",
    "VALUE:constant",
    "The value as it stands: not evaluated.",
    shows(["literal", "_S.name"], "_S.name", {"name": "Kari"}),
    shows(["literal", ["upper", "a"]], ["upper", "a"]),
    shows(["literal", None], None),
)
def _literal(making: Making, call: Call) -> Run:
    return making.always(call.args[0].value)


@misc.values(
    "tuples",
    "VALUES*",
    f"A list for each combination of a value from each argument; null is no value. At most {MOST_VALUES:,}.",
    shows(["tuples", "a", ["list", 1, 2]], [["a", 1], ["a", 2]]),
    shows(["tuples", ["list", 1, None]], [[1]]),
    shows(["tuples", "a", None], []),
)
def _tuples(values: list[Any]) -> list[list[Any]]:
    if not values:
        return []
    columns = [[one for one in listed(value) if one is not None] for value in values]
    bounded(prod(map(len, columns)), MOST_VALUES, "values")
    return [list(row) for row in product(*columns)]


@misc.special(
    "is-changed",
    "FUNCTION:each",
    "Whether FUNCTION gives another value for this version of the source entity than for the one before, or one of the "
    "two is deleted. Null where no version before is known. `_` is the entity in it.",
    shows(["is-changed", "_.name"], True, {"_id": "1", "name": "Kari"}, before={"_id": "1", "name": "Karin"}),
    shows(["is-changed", ["list", "_.a", "_.b"]], False, {"_id": "1", "a": 1, "c": 2}, before={"_id": "1", "a": 1}),
    shows(["is-changed", "_.name"], None, {"_id": "1", "name": "Kari"}),
    pure=False,
)
def _is_changed(making: Making, call: Call) -> Run:
    function = making.expression(call.args[0])

    def run(scope: Scope) -> bool | None:
        host, source = scope.host, scope.s
        if host.datasets is None or host.source is None or type(source) is not dict:
            return None
        before = host.datasets.previous(host.source, source)
        if before is None:
            return None
        if before.get("_deleted") is True or source.get("_deleted") is True:
            return True
        return not equal(scope.with_value(function, source), scope.with_value(function, before))

    return run
