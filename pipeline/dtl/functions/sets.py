"""Functions of values that are in one list, in both or in neither. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.registry import Subject, shows
from pipeline.dtl.values import distinct, key_of, listed

sets: Final = Subject("sets", "Sets", "A single value is a list of one, and null is a list of none.")


@sets.values(
    "union",
    "A B",
    "The values of A and then those of B, each once.",
    shows(["union", ["list", "a", "b"], ["list", "b", "c"]], ["a", "b", "c"]),
    shows(["union", "a", "a"], ["a"]),
    shows(["union", "_S.none", ["list", 1, True]], [1, True], {}),
)
def _union(one: Any, other: Any) -> list[Any]:
    return distinct([*listed(one), *listed(other)])


@sets.values(
    "intersection",
    "A B",
    "The values of A that are in B too, as they stand in A.",
    shows(["intersection", ["list", "b", "c", "b"], ["list", "a", "b"]], ["b", "b"]),
    shows(["intersection", "b", ["list", "a", "b"]], ["b"]),
    shows(["intersection", "_S.none", "a"], [], {}),
)
def _intersection(one: Any, other: Any) -> list[Any]:
    known = set(map(key_of, listed(other)))
    return [value for value in listed(one) if key_of(value) in known]


@sets.values(
    "intersects",
    "A B",
    "Whether a value of A is in B.",
    shows(["intersects", ["list", "a", "b"], ["list", "b", "c"]], True),
    shows(["intersects", "a", ["list", "b", "c"]], False),
    shows(["intersects", "_S.none", "a"], False, {}),
)
def _intersects(one: Any, other: Any) -> bool:
    known = set(map(key_of, listed(other)))
    return any(key_of(value) in known for value in listed(one))


@sets.values(
    "difference",
    "A B",
    "The values of A that are not in B, as they stand in A.",
    shows(["difference", ["list", "d", "a", "d", "b"], ["list", "a", "b"]], ["d", "d"]),
    shows(["difference", "a", ["list", "b"]], ["a"]),
    shows(["difference", "_S.none", "a"], [], {}),
)
def _difference(one: Any, other: Any) -> list[Any]:
    known = set(map(key_of, listed(other)))
    return [value for value in listed(one) if key_of(value) not in known]
