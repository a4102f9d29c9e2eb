"""A part of a dataset: the entities that have a value at a path. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.config.given import advice
from pipeline.entity import Entity, typed
from pipeline.state.datasets import value_key, values_at

if TYPE_CHECKING:
    from pipeline.config.given import Given
    from pipeline.errors import Problem

_SOURCE: Final = "_S."


class Subset:
    """Entities of which a value at a path is one of some."""

    def __init__(self, path: Sequence[str], values: Sequence[object]) -> None:
        """The path is of properties."""
        self._path = tuple(path)
        self._keys = frozenset(key for value in values if (key := value_key(value)) is not None)

    def of(self, entities: Sequence[Entity]) -> list[Entity]:
        """Those that belong to it; one that does not, and may have before, as deleted."""
        found = []
        for entity in entities:
            if not self._keys.isdisjoint(map(value_key, values_at(entity, self._path))):
                found.append(entity)
            elif entity.get("_previous") is not None:
                found.append({**entity, "_deleted": True})
        return found


def subset_of(expression: Sequence[object] | None) -> Subset | None:
    """What an expression means that `subset_fault` finds no fault with."""
    parts = None if expression is None else _parts(expression)
    return None if parts is None else Subset(*parts)


def subset_fault(given: Given) -> Iterator[Problem]:
    """E203 for a subset that cannot be read."""
    expression = given.get("subset")
    if isinstance(expression, list | tuple) and _parts(expression) is None:
        yield given.problem(
            "E203",
            "`subset` compares one property with a value",
            "subset",
            label="not of that form",
            notes=(advice('write `["eq", "_S.country", "NO"]`'),),
        )


def _parts(expression: Sequence[object]) -> tuple[list[str], list[object]] | None:
    """The path and the values of `["eq", "_S.path", value]`, whichever of the two comes first."""
    if len(expression) != 3 or expression[0] != "eq":
        return None
    one, other = expression[1:]
    if not _is_path(one):
        one, other = other, one
    if not _is_path(one) or _is_path(other) or isinstance(other, dict):
        return None
    # A list with names of functions would be a call.
    values = list(other) if isinstance(other, list | tuple) else [other]
    if any(isinstance(value, list | tuple | dict) for value in values) or (values is not other and not values):
        return None
    return str(one).removeprefix(_SOURCE).split("."), [typed(value) for value in values]


def _is_path(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_SOURCE) and len(value) > len(_SOURCE)
