"""What `hops` joins: what is written, checked, and in the order in which it is carried out. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pipeline.config.given import advice
from pipeline.config.near import near
from pipeline.dtl.tree import Block, Call, Expression, Literal, Path, Place
from pipeline.errors import Note

# A recursion that is given no depth.
DEPTH: Final = 10
# What stands for everything outside the join: `_S` and the other variables.
OUTSIDE: Final = ""
_KEYS: Final = (
    "datasets",
    "where",
    "recurse",
    "exclude_root",
    "max_depth",
    "return",
    "track-dependencies",
    "trace",
    "subsets",
    "prefilters",
    "comment",
)


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """One dataset of a join: entities that have a value of `known` at `sought`, of which all conditions are true."""

    alias: str
    dataset: str
    known: Expression
    """Evaluated with what is joined so far."""
    sought: Expression
    """Over the entities of the dataset, by their alias."""
    checks: tuple[tuple[Expression, Expression], ...]
    """Pairs that must have a value in common too."""
    conditions: tuple[Expression, ...]
    subset: tuple[Expression, Any] | None
    """An expression over the entity as `_S`, and the value that it must have."""


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """One specification of `hops`."""

    hops: tuple[Hop, ...]
    conditions: tuple[Expression, ...]
    """What names no dataset: looked at before anything is joined."""
    returns: tuple[str, ...]
    """The aliases whose entities are the result; none, where there is a template."""
    template: Expression | None
    recurse: bool
    exclude_root: bool
    max_depth: int | None
    tracked: bool
    """Whether a change in what is joined runs the pipe again for the entities that it is joined with."""
    place: Place


class ReadsExpression(Protocol):
    """The parser: an expression in which these aliases are variables."""

    def __call__(self, value: Any, place: Place, aliases: frozenset[str], /) -> Expression | None:
        """None where there is a fault, which is told."""
        ...


class TellsFault(Protocol):
    """Where faults go."""

    def __call__(self, code: str, message: str, place: Place, *, notes: Sequence[Note] = ()) -> None:
        """Tell one."""
        ...


def join_of(value: Any, place: Place, expression: ReadsExpression, fault: TellsFault) -> Join | None:
    """The join that a dict describes, or None and its faults."""
    if type(value) is not dict:
        fault("E805", "a join is an object with `datasets` and `where`", place)
        return None
    wrong = False
    for name in value:
        if name not in _KEYS:
            close = near(name, _KEYS)
            notes = [advice(f"did you mean `{close[0]}`?")] if close else []
            fault("E805", f"a join has no `{name}`", (*place, name), notes=notes)
            wrong = True
    for name, message in _unfit(value):
        fault("E805", message, (*place, name))
        wrong = True
    datasets = _datasets(value.get("datasets"), (*place, "datasets"), place, fault)
    if datasets is None:
        return None
    aliases = frozenset(datasets)
    conditions = _conditions(value, place, aliases, expression)
    subsets = _subsets(value, place, datasets, expression, fault)
    returns, template = _returned(value.get("return"), (*place, "return"), datasets, expression)
    if conditions is None or subsets is None or (not returns and template is None) or wrong:
        return None
    hops, free = _planned(datasets, conditions, subsets, place, fault)
    if hops is None:
        return None
    depth = value.get("max_depth", DEPTH)
    recurse = value.get("recurse") is True
    return Join(
        hops,
        free,
        returns,
        template,
        recurse,
        value.get("exclude_root") is True,
        depth,
        value.get("track-dependencies") is not False,
        place,
    )


def _unfit(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings that are not what they can be, and why."""
    for name in ("recurse", "exclude_root", "track-dependencies"):
        if type(value.get(name, False)) is not bool:
            yield name, f"`{name}` is true or false"
    depth = value.get("max_depth")
    if depth is not None and (type(depth) is not int or depth < 1):
        yield "max_depth", "`max_depth` is a whole number from 1 on, or null for no end"
    if value.get("recurse") is True and value.get("return") is not None:
        yield "return", "what `return` says cannot be joined again: put a join without `recurse` behind this one"


def _datasets(value: Any, place: Place, whole: Place, fault: TellsFault) -> dict[str, str] | None:
    """The datasets by alias."""
    if type(value) is not list or not value or not all(isinstance(one, str) for one in value):
        fault(
            "E805", "`datasets` is a list of texts like `orders o`: a dataset and its alias", place if value else whole
        )
        return None
    found: dict[str, str] = {}
    for index, one in enumerate(value):
        words = one.split()
        if len(words) != 2:
            hint = advice(f'write "{words[0]} {words[0][0]}"' if words else 'write "orders o"')
            fault("E805", "a dataset in a join has a name and an alias", (*place, index), notes=[hint])
            return None
        if words[1] in found:
            fault("E805", f"the alias `{words[1]}` is given twice", (*place, index))
            return None
        found[words[1]] = words[0]
    return found


def _conditions(
    value: Mapping[str, Any], place: Place, aliases: frozenset[str], expression: ReadsExpression
) -> list[Expression] | None:
    """The conditions of `where`, each for itself: a list of them, or `and`, means all."""
    found: list[Expression | None] = []

    def take(one: Any, at: Place) -> None:
        if type(one) is list and one and (one[0] == "and" or not isinstance(one[0], str)):
            for index, inner in enumerate(one):
                if inner != "and" or index:
                    take(inner, (*at, index))
        elif one != []:
            found.append(expression(one, at, aliases))

    take(value.get("where", []), (*place, "where"))
    return None if None in found else [one for one in found if one is not None]


def _subsets(
    value: Mapping[str, Any],
    place: Place,
    datasets: Mapping[str, str],
    expression: ReadsExpression,
    fault: TellsFault,
) -> dict[str, tuple[Expression, Any]] | None:
    name = "subsets" if "subsets" in value else "prefilters"
    given = value.get(name) or {}
    found: dict[str, tuple[Expression, Any]] = {}
    for alias, one in given.items() if type(given) is dict else ():
        at = (*place, name, alias)
        read = expression(one, at, frozenset())
        if read is None:
            return None
        right = isinstance(read, Call) and read.name == "eq" and isinstance(read.args[1], Literal)
        if alias not in datasets or not isinstance(read, Call) or not right:
            fault("E805", 'a subset is ["eq", "_S.name", value] under the alias of a dataset', at)
            return None
        found[alias] = (read.args[0], read.args[1].value)
    return found


def _returned(
    value: Any, place: Place, datasets: Mapping[str, str], expression: ReadsExpression
) -> tuple[tuple[str, ...], Expression | None]:
    if value is None:
        return (list(datasets)[-1],), None
    if isinstance(value, str):
        names = [name.strip() for name in value.split(",")]
        if all(name in datasets for name in names):
            return tuple(names), None
    return (), expression(value, place, frozenset(datasets))


def variables(node: Any, aliases: frozenset[str]) -> set[str]:
    """The aliases that an expression names, and OUTSIDE if it names anything else."""
    return set(_variables(node, aliases))


def _variables(node: Any, aliases: frozenset[str]) -> Iterator[str]:
    if isinstance(node, Path):
        # `_` is a value of what is looked at, which is named beside it.
        if node.variable != "_":
            yield node.variable if node.variable in aliases else OUTSIDE
    elif isinstance(node, Call):
        yield from _variables(list(node.args), aliases)
    elif isinstance(node, Block):
        yield from _variables(list(node.calls), aliases)
    elif isinstance(node, Join):
        yield OUTSIDE
    elif isinstance(node, list | tuple):
        for one in node:
            yield from _variables(one, aliases)


def _planned(
    datasets: Mapping[str, str],
    conditions: Sequence[Expression],
    subsets: Mapping[str, tuple[Expression, Any]],
    place: Place,
    fault: TellsFault,
) -> tuple[tuple[Hop, ...] | None, tuple[Expression, ...]]:
    """From what is known on to what is joined with it, until every dataset is reached."""
    aliases = frozenset(datasets)
    sides = [_sides(one, aliases) for one in conditions]
    known = {OUTSIDE}
    used: set[int] = set()
    hops: list[Hop] = []
    while len(hops) < len(datasets):
        step = _next(sides, known, used)
        if step is None:
            left = [alias for alias in datasets if alias not in known]
            hint = advice(f'join it: ["eq", "_S.name", "{left[0]}.name"] in `where`')
            fault("E805", f"nothing in `where` leads to `{left[0]}`", (*place, "datasets"), notes=[hint])
            return None, ()
        at, alias, from_, to = step
        known.add(alias)
        used.add(at)
        checks = []
        filters = []
        for index, one in enumerate(conditions):
            if index not in used and alias in (named := variables(one, aliases)) and named <= known:
                used.add(index)
                pair = sides[index]
                if pair is None:
                    filters.append(one)
                else:
                    checks.append((pair[0][1], pair[1][1]))
        hops.append(
            Hop(alias, datasets[alias], from_, to, tuple(checks), tuple(filters), subsets.get(alias)),
        )
    return tuple(hops), tuple(one for index, one in enumerate(conditions) if index not in used)


Side = tuple[str, Expression]


def _sides(condition: Expression, aliases: frozenset[str]) -> tuple[Side, Side] | None:
    """The two sides of a condition that joins: `eq`, with another dataset, or what is outside, on each."""
    if not isinstance(condition, Call) or condition.name != "eq":
        return None
    named = [variables(side, aliases) for side in condition.args]
    if any(len(one) != 1 for one in named) or named[0] == named[1]:
        return None
    (left,), (right,) = named
    return (left, condition.args[0]), (right, condition.args[1])


def _next(
    sides: Sequence[tuple[Side, Side] | None], known: set[str], used: set[int]
) -> tuple[int, str, Expression, Expression] | None:
    for index, pair in enumerate(sides):
        if pair is not None and index not in used:
            for (from_, value), (to, sought) in (pair, pair[::-1]):
                if from_ in known and to not in known:
                    return index, to, value, sought
    return None


def lookups(node: Any) -> set[tuple[str, tuple[str, ...]]]:
    """The datasets that are joined anywhere in rules, and the paths at which values are sought in them."""
    if isinstance(node, Join):
        inner = [part for hop in node.hops for part in (hop.known, hop.sought, *hop.conditions, hop.checks)]
        found = {(hop.dataset, hop.sought.parts) for hop in node.hops if isinstance(hop.sought, Path)}
        return {one for one in found if one[1] not in {(), ("_id",)}} | lookups([inner, node.template])
    if isinstance(node, Call):
        return lookups(node.args)
    if isinstance(node, Block):
        return lookups(node.calls)
    if node is None or isinstance(node, Literal | Path):
        return set()
    return {one for part in node for one in lookups(part)}
