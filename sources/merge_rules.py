"""Which entities of several datasets are the same: the rules of a merge, as they are written. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final, NamedTuple
from uuid import UUID

from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.dtl.compile import Compiler
from pipeline.dtl.errors import DtlError
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.joins import OUTSIDE, variables
from pipeline.dtl.parse import Fault, parse_expression
from pipeline.dtl.registry import Run
from pipeline.dtl.scope import Host, Scope
from pipeline.dtl.tree import Path, Place
from pipeline.entity import Entity
from pipeline.state.values import value_key, values_at

_DATASETS: Final = "datasets"
_EQUALITY: Final = "equality"
_SETS: Final = "equality_sets"


class Side(NamedTuple):
    """Values of the entities of one dataset: those at a `path`, or what an expression makes of the entity."""

    place: int
    alias: str
    path: tuple[str, ...]
    run: Run | None = None

    def values(self, entity: Entity, host: Host) -> dict[bytes, Any]:
        """The values by what makes them equal; null is none."""
        if self.run is None:
            values: Iterator[Any] = values_at(entity, self.path)
        else:
            scope = Scope(entity, {}, host)
            scope.rows = {self.alias: entity}
            found = self.run(scope)
            values = iter(found if isinstance(found, list) else [found])
        return {key: value for value in values if (key := value_key(value)) is not None}


@dataclass(slots=True)
class Rules:
    """The sides that are compared, and which of them with which; the faults, where there are such."""

    names: tuple[str, ...] = ()
    sides: list[Side] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def of(self, place: int) -> Iterator[tuple[int, int, int]]:
        """For a dataset: the number of a pair, the side of this dataset, and the one that it is compared with."""
        for number, (one, other) in enumerate(self.pairs):
            if self.sides[one].place == place:
                yield number, one, other
            if self.sides[other].place == place and one != other:
                yield number, other, one


def rules_of(datasets: Sequence[object], equality: Sequence[object], sets: Sequence[object]) -> Rules:
    """Read them; what is wrong in one does not hide what is wrong in another."""
    reader = _Reader(datasets)
    for index, one in enumerate(equality):
        place: Place = (_EQUALITY, index)
        if not isinstance(one, list | tuple) or len(one) != 3 or one[0] != "eq":
            reader.fault("E805", 'a rule is ["eq", "c.email", "u.login"]', place)
            continue
        reader.pair([reader.side(value, (*place, at)) for at, value in enumerate(one[1:], 1)])
    for index, one in enumerate(sets):
        place = (_SETS, index)
        if not isinstance(one, list | tuple) or not one:
            reader.fault("E805", 'a set is a list like ["c.email", "u.login"]', place)
            continue
        sides = [reader.side(value, (*place, at)) for at, value in enumerate(one)]
        for two in combinations(sides, 2):
            reader.pair(two)
    return reader.rules


def host_of(now: int) -> Host:
    """What expressions of rules are given. The same entity has the same values, so chance is not among them."""
    return Host(lambda: now, _chance)


def _chance() -> UUID:
    raise DtlError("entities cannot be the same by chance", "uuid", ())


class _Reader:
    def __init__(self, datasets: Sequence[object]) -> None:
        self.rules = Rules()
        self._aliases: dict[str, int] = {}
        self._known: dict[object, int] = {}
        names: list[str] = []
        for index, one in enumerate(datasets):
            words = one.split() if isinstance(one, str) else []
            if len(words) != 2:
                example = f"{words[0]} {words[0][0].lower()}" if words else "customers c"
                self.fault(
                    "E203",
                    "a dataset in a merge has a name and an alias",
                    (_DATASETS, index),
                    f'write "{example}"',
                )
                continue
            name, alias = words
            if alias in self._aliases:
                self.fault("E203", f"the alias `{alias}` is given twice", (_DATASETS, index))
            if name in names:
                self.fault("E203", f"the dataset `{name}` is there twice", (_DATASETS, index))
            self._aliases.setdefault(alias, len(names))
            names.append(name)
        self.rules.names = tuple(names)

    def fault(self, code: str, message: str, place: Place, hint: str = "") -> None:
        self.rules.faults.append(Fault(code, message, place, notes=(advice(hint),) if hint else ()))

    def side(self, value: object, place: Place) -> int | None:
        """The number of a side; None where it cannot be read, which is told."""
        plain = _plain(value)
        aliases = frozenset(self._aliases)
        node, parsed = parse_expression(plain, {}, REGISTRY, aliases)
        self.rules.faults += [one._replace(place=(*place, *one.place)) for one in parsed.faults]
        if node is None or parsed.faults:
            return None
        named = variables(node, aliases)
        if len(named) != 1 or OUTSIDE in named:
            self._unnamed(plain, named, place)
            return None
        (alias,) = named
        dataset = self._aliases[alias]
        known: object = repr((dataset, plain))
        if known not in self._known:
            self._known[known] = len(self.rules.sides)
            path = isinstance(node, Path) and node.parts
            run = None if path else Compiler({}).expression(node)
            self.rules.sides.append(Side(dataset, alias, path or (), run))
        return self._known[known]

    def pair(self, sides: Sequence[int | None]) -> None:
        one, other = sides
        if one is not None and other is not None and (one, other) not in self.rules.pairs:
            self.rules.pairs.append((one, other))

    def _unnamed(self, value: object, named: set[str], place: Place) -> None:
        if len(named) > 1:
            self.fault("E805", "each side of a rule is of one dataset", place)
            return
        hint = 'name a property by the alias of its dataset: "c.email"'
        if isinstance(value, str) and "." in value:
            close = near(value.split(".", 1)[0], list(self._aliases))
            hint = f"did you mean `{close[0]}.{value.split('.', 1)[1]}`?" if close else hint
        self.fault("E805", "this names no dataset of the merge", place, hint)


def _plain(value: Any) -> Any:
    """As JSON has it: lists, and texts that do not remember where they come from."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return str(value) if isinstance(value, str) else value
