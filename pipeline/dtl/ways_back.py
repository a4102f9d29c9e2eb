"""The ways that joins go, backwards: from an entity that is joined to the source entities it is joined with. No I/O.

Rules are gone through once. Wherever one of them joins, what it joins is a `Met`; the values by which it is found
stand in the source entity, in what was joined before it, or in what a rule was applied to. Where that cannot be said,
since it is computed of the target for example, there is no way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pipeline.dtl.joins import OUTSIDE, Join, variables
from pipeline.dtl.parse import DEFAULT
from pipeline.dtl.signature import Group, Optional
from pipeline.dtl.tree import Block, Call, Expression, Literal, Path

_APPLYING: Final = frozenset({"apply", "apply-hops"})
# Rules that apply each other in ever new ways are not gone through for ever.
_MOST: Final = 1000


@dataclass(slots=True, eq=False)
class Met:
    """The entities of one dataset in one join, by what they are found, and the ways back from them.

    `back` is None where there is none: then any source entity may be joined with them.
    """

    dataset: str
    alias: str
    sought: Expression
    subset: tuple[Expression, Any] | None
    tracked: bool
    back: list[Back] | None = field(default_factory=list)


class Spot(NamedTuple):
    """A part of an entity: of the source (None) or of one that was met."""

    of: Met | None
    parts: tuple[str, ...] = ()


class Back(NamedTuple):
    """Where the values stand by which something was met; with `computed` they are computed of what stands there."""

    spot: Spot
    computed: Expression | None = None
    alias: str = ""
    """What the value at the spot is called in `computed`; "" for `_S`."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What the variables of a rule are. None: nobody knows."""

    source: tuple[Spot, ...] | None
    parent: _Around | None = None
    rows: Mapping[str, Met] = field(default_factory=dict)


_ROOT: Final = _Around((Spot(None),))
_UNKNOWN: Final = _Around(None)


def ways_back(rules: Mapping[str, Block], *, namespaced: bool = False) -> list[Met]:
    """All that the rules meet on their way from `default`."""
    walk = _Walk(rules, namespaced=namespaced)
    walk.rule(DEFAULT, _ROOT)
    return walk.met


class _Walk:
    def __init__(self, rules: Mapping[str, Block], *, namespaced: bool) -> None:
        self.met: list[Met] = []
        self._rules = rules
        self._namespaced = namespaced
        self._within: list[str] = []
        self._done: set[object] = set()

    def rule(self, name: str, around: _Around) -> None:
        """One that applies itself is gone through a second time, with variables of which nothing is known."""
        if name in self._within or len(self.met) > _MOST:
            around = _UNKNOWN
        known = (name, *_sources(around))
        if known in self._done:
            return
        self._done.add(known)
        self._within.append(name)
        self._look(self._rules[name], around)
        self._within.pop()

    def _look(self, node: Any, around: _Around) -> None:
        if isinstance(node, Block):
            self._look(node.calls, around)
        elif isinstance(node, list | tuple):
            for one in node:
                self._look(one, around)
        elif isinstance(node, Call):
            self._call(node, around)

    def _call(self, call: Call, around: _Around) -> None:
        if call.name == "hops":
            self._joined(call.args[0], around)
        elif call.name in _APPLYING:
            if call.name == "apply":
                self._look(call.args[1], around)
                source = self._spots(call.args[1], around)
            else:
                source = self._joined(call.args[1], around)
            self.rule(call.args[0].value, _Around(source, around))
        elif call.name == "lookup-entity" and isinstance(call.args[0], Literal):
            self._looked_up(call, around)
        else:
            self._look(call.args, around)

    def _looked_up(self, call: Call, around: _Around) -> None:
        """As a join by `_id`."""
        dataset, id_ = call.args
        self._look(id_, around)
        if type(dataset.value) is str:
            by_id = Path("", ("_id",), call.place)
            self.met.append(Met(dataset.value, "", by_id, None, tracked=True, back=self._back(id_, around)))

    def _joined(self, joins: Sequence[Join], around: _Around) -> tuple[Spot, ...] | None:
        """What the result is, of joins that each go on from what the one before has found."""
        for join in joins:
            around = _Around(self._join(join, around), around.parent, around.rows)
        return around.source

    def _join(self, join: Join, around: _Around) -> tuple[Spot, ...] | None:
        rows = {hop.alias: Met(hop.dataset, hop.alias, hop.sought, hop.subset, join.tracked) for hop in join.hops}
        inner = _Around(around.source, around.parent, {**around.rows, **rows})
        found = self._returned(join, inner)
        if join.recurse:
            # What was found is where it goes on from.
            inner = _Around(_both(around.source, found), around.parent, inner.rows)
            found = inner.source if not join.exclude_root else found
        for hop in join.hops:
            rows[hop.alias].back = self._back(hop.known, inner)
            self._look([hop.known, hop.sought, hop.checks, hop.conditions], inner)
            self.met.append(rows[hop.alias])
        self._look([join.conditions, join.template], inner)
        return found

    def _returned(self, join: Join, inner: _Around) -> tuple[Spot, ...] | None:
        if join.template is not None:
            return self._spots(join.template, inner)
        return tuple(Spot(inner.rows[alias]) for alias in join.returns)

    def _spots(self, node: Any, around: _Around) -> tuple[Spot, ...] | None:
        """Where a value stands; None where it is computed."""
        if not isinstance(node, Path):
            return None
        variable, parts = node.variable, node.parts
        if variable in around.rows:
            return (Spot(around.rows[variable], parts),)
        above: _Around | None = around
        if variable == "_R":
            above, variable, parts = _ROOT, (parts or ("",))[0], parts[1:]
        while variable == "_P" and above is not None:
            above, variable, parts = above.parent, (parts or ("",))[0], parts[1:]
        if variable != "_S" or above is None or above.source is None:
            return None
        return tuple(Spot(one.of, (*one.parts, *parts)) for one in above.source)

    def _back(self, node: Expression, around: _Around) -> list[Back] | None:
        if isinstance(node, Path) and not self._is_made(node):
            spots = self._spots(node, around)
            return None if spots is None else [Back(spot) for spot in spots]
        inside = list(_inside(node))
        named = variables(node, frozenset(around.rows))
        if len(named) != 1 or not all(map(_is_plain, inside)) or _is_free(node):
            return None
        (name,) = named
        if name != OUTSIDE:
            return [Back(Spot(around.rows[name]), node, name)]
        if around.source is None or any(isinstance(one, Path) and one.variable not in {"_S", "_"} for one in inside):
            return None
        return [Back(spot, node) for spot in around.source]

    def _is_made(self, node: Path) -> bool:
        """Whether it is the property that an entity has without having it."""
        return self._namespaced and node.variable == "_S" and node.parts[:1] == ("$ids",)


def _sources(around: _Around) -> Iterator[object]:
    above: _Around | None = around
    while above is not None:
        yield above.source
        above = above.parent


def _both(one: tuple[Spot, ...] | None, other: tuple[Spot, ...] | None) -> tuple[Spot, ...] | None:
    return None if one is None or other is None else one + other


def _inside(node: Any) -> Iterator[Any]:
    """An expression and all in it."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from _inside(one)
    elif node is not None:
        yield node
        if isinstance(node, Call):
            yield from _inside(node.args)


def _is_plain(node: Any) -> bool:
    """Whether it gives the same for the same entity, whenever it is asked."""
    return isinstance(node, Literal | Path) or (isinstance(node, Call) and node.function.pure)


def _is_free(node: Any) -> bool:
    """Whether it has a `_` that is a value of something around it."""
    if isinstance(node, Path):
        return node.variable == "_"
    if not isinstance(node, Call):
        return False
    return any(map(_is_free, _unbound(node)))


def _unbound(call: Call) -> Iterator[Any]:
    """The arguments in which a call sets no `_` of its own."""
    for part, given in zip(call.signature.parts, call.args, strict=True):
        if isinstance(part, Group):
            for one in given:
                values = one if isinstance(one, list) else [one]
                yield from (
                    value for parameter, value in zip(part.parameters, values, strict=True) if parameter.takes != "each"
                )
        elif (part.parameter if isinstance(part, Optional) else part).takes != "each":
            yield given
