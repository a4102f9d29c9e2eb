"""Functions that look into other datasets. No I/O: the datasets are an argument of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from pipeline.component import Datasets
from pipeline.dtl.errors import DtlError
from pipeline.dtl.functions.dictionaries import applying
from pipeline.dtl.joins import Hop, Join
from pipeline.dtl.paths import sought
from pipeline.dtl.registry import Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call, Path
from pipeline.dtl.values import first, is_true, key_of, listed
from pipeline.entity import Datetime, Entity

hops: Final = Subject(
    "hops",
    "Hops",
    "A join starts at the entity at hand and goes from dataset to dataset. It is described by an object: `datasets`, a "
    "list of texts such as `orders o`, and `where`, conditions that must all be true. An `eq` with one dataset on each "
    "side joins: the two have a value in common. What is null joins nothing, and deleted entities are not there.",
)


class _Way(NamedTuple):
    """A `Hop` that is ready."""

    hop: Hop
    known: Run
    sought: Run
    path: tuple[str, ...] | None
    """Where the values that are sought stand, if they do and are not computed."""
    checks: Sequence[tuple[Run, Run]]
    conditions: Sequence[Run]
    subset: tuple[Run, set[Any]] | None
    fits_all: bool
    """Whether nothing but the join chooses."""


class _Joined:
    """A `Join` that is ready."""

    def __init__(self, making: Making, join: Join, call: Call) -> None:
        self.join = join
        self._call = call
        self._ways = [_way(making, hop) for hop in join.hops]
        self._conditions = [making.expression(one) for one in join.conditions]
        self._template = None if join.template is None else making.expression(join.template)
        self._flat = isinstance(join.template, Path)
        self._indexes: dict[tuple[int, int], dict[Any, list[Entity]]] = {}

    def once(self, scope: Scope, datasets: Datasets) -> list[Any]:
        """What is joined with `_S`."""
        outer = scope.rows
        found: list[Any] = []
        seen: set[tuple[str, str]] = set()
        if all(is_true(one(scope)) for one in self._conditions):
            for rows in self._rows(scope, datasets, dict(outer), 0):
                if self._template is None:
                    for alias in self.join.returns:
                        one = rows[alias]
                        if (alias, one["_id"]) not in seen:
                            seen.add((alias, one["_id"]))
                            found.append(one)
                else:
                    scope.rows = rows
                    value = self._template(scope)
                    found += listed(value) if self._flat else () if value is None else (value,)
        scope.rows = outer
        return found

    def _rows(self, scope: Scope, datasets: Datasets, rows: dict[str, Any], at: int) -> Iterator[dict[str, Any]]:
        way = self._ways[at]
        scope.rows = rows
        values = [one for one in listed(way.known(scope)) if one is not None]
        last = at + 1 == len(self._ways)
        candidates = self._candidates(scope, datasets, way, at, values) if values else ()
        scope.looks(self._call, len(candidates))
        for one in candidates:
            inner = {**rows, way.hop.alias: one}
            scope.rows = inner
            if way.fits_all or _fits(scope, way, one):
                if last:
                    yield inner
                else:
                    yield from self._rows(scope, datasets, inner, at + 1)

    def _candidates(
        self, scope: Scope, datasets: Datasets, way: _Way, at: int, values: Sequence[Any]
    ) -> Sequence[Entity]:
        dataset = way.hop.dataset
        if way.path == ("_id",):
            found = [datasets.get(dataset, one) for one in sorted({one for one in values if type(one) is str})]
            return [one for one in found if one is not None]
        if way.path is not None:
            return datasets.find(dataset, way.path, values)
        index = self._index(scope, datasets, way, at)
        keys = dict.fromkeys(map(key_of, values))
        by_id = {one["_id"]: one for key in keys for one in index.get(key, ())}
        return [by_id[id_] for id_ in sorted(by_id)]

    def _index(self, scope: Scope, datasets: Datasets, way: _Way, at: int) -> dict[Any, list[Entity]]:
        """The entities of a dataset by what is computed of them, made once for each state of the dataset."""
        state = (at, datasets.revision(way.hop.dataset))
        if state not in self._indexes:
            index: dict[Any, list[Entity]] = {}
            rows = scope.rows
            for one in datasets.all(way.hop.dataset):
                scope.rows = {way.hop.alias: one}
                for value in listed(way.sought(scope)):
                    if value is not None:
                        index.setdefault(key_of(value), []).append(one)
            scope.rows = rows
            self._indexes = {known: made for known, made in self._indexes.items() if known[0] != at}
            self._indexes[state] = index
        return self._indexes[state]


def _way(making: Making, hop: Hop) -> _Way:
    plain = isinstance(hop.sought, Path) and hop.sought.parts
    subset = None
    if hop.subset is not None:
        subset = (making.expression(hop.subset[0]), set(map(key_of, listed(hop.subset[1]))))
    return _Way(
        hop,
        making.expression(hop.known),
        making.expression(hop.sought),
        sought(hop.sought.parts, making.namespaces) if plain and isinstance(hop.sought, Path) else None,
        [(making.expression(one), making.expression(other)) for one, other in hop.checks],
        [making.expression(one) for one in hop.conditions],
        subset,
        not (hop.checks or hop.conditions or subset),
    )


def _fits(scope: Scope, way: _Way, entity: Entity) -> bool:
    for one, other in way.checks:
        known = {key_of(value) for value in listed(one(scope)) if value is not None}
        if not any(key_of(value) in known for value in listed(other(scope))):
            return False
    if way.subset is not None:
        expression, wanted = way.subset
        source, scope.s = scope.s, entity
        found = listed(expression(scope))
        scope.s = source
        if not any(key_of(value) in wanted for value in found):
            return False
    return all(is_true(one(scope)) for one in way.conditions)


def datasets_of(scope: Scope, call: Call) -> Datasets:
    """The datasets of the run; DtlError where there are none."""
    if scope.host.datasets is None:
        raise DtlError("there are no datasets here", call.name, call.place)
    return scope.host.datasets


def _joining(making: Making, call: Call, joins: Sequence[Join]) -> Run:
    ready = [_Joined(making, one, call) for one in joins]

    def run(scope: Scope) -> list[Any]:
        datasets = datasets_of(scope, call)
        source = scope.s
        found: list[Any] = [source]
        for one in ready:
            found = (
                _recursed(scope, datasets, one, found) if one.join.recurse else _chained(scope, datasets, one, found)
            )
        scope.s = source
        return found

    return run


def _chained(scope: Scope, datasets: Datasets, joined: _Joined, sources: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for source in sources:
        scope.s = source
        found += joined.once(scope, datasets)
    return found


def _recursed(scope: Scope, datasets: Datasets, joined: _Joined, roots: Sequence[Any]) -> list[Any]:
    """All that is reached, each once; what is reached first stands first."""
    found = {} if joined.join.exclude_root else {_name(one): one for one in roots}
    seen = {_name(one) for one in roots}
    level, depth = roots, 0
    while level and (joined.join.max_depth is None or depth < joined.join.max_depth):
        depth += 1
        fresh: dict[Any, Any] = {}
        for one in _chained(scope, datasets, joined, level):
            if _name(one) not in seen:
                fresh.setdefault(_name(one), one)
        seen.update(fresh)
        found.update(fresh)
        level = list(fresh.values())
    return list(found.values())


def _name(value: Any) -> Any:
    return ("_id", value["_id"]) if type(value) is dict and "_id" in value else key_of(value)


_ORDERS: Final = {
    "orders": [{"_id": "o1", "customer": "1", "sku": "cup"}, {"_id": "o2", "customer": "2", "sku": "pot"}],
}
_ORDER: Final = {"order": [["copy", "sku"]]}


@hops.special(
    "hops",
    "SPECIFICATION:join+",
    "The entities that are joined with the entity at hand: those of the last dataset, or what `return` says. With "
    "`recurse` what is found is joined again, `max_depth` times; of several specifications each goes on from what the "
    "one before has found.",
    shows(
        ["hops", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"]}],
        [{"_id": "o1", "customer": "1", "sku": "cup"}],
        {"_id": "1"},
        datasets=_ORDERS,
    ),
    shows(
        ["hops", {"datasets": ["orders o"], "where": ["eq", "_S.ids", "o._id"], "return": "o.sku"}],
        ["cup", "pot"],
        {"ids": ["o1", "o2"]},
        datasets=_ORDERS,
    ),
    shows(
        ["hops", {"datasets": ["orders o"], "where": ["eq", "_S.none", "o._id"]}], [], {"_id": "1"}, datasets=_ORDERS
    ),
    shows(
        [
            "hops",
            {"datasets": ["people p"], "where": ["eq", "_S.boss", "p._id"], "recurse": True, "exclude_root": True},
        ],
        [{"_id": "b", "boss": "c"}, {"_id": "c"}],
        {"_id": "a", "boss": "b"},
        datasets={"people": [{"_id": "a", "boss": "b"}, {"_id": "b", "boss": "c"}, {"_id": "c"}]},
    ),
    pure=False,
)
def _hops(making: Making, call: Call) -> Run:
    return _joining(making, call, call.args[0])


@hops.special(
    "apply-hops",
    "RULE:rule SPECIFICATION:join+",
    "What a rule makes of the entities that `hops` finds.",
    shows(
        ["apply-hops", "order", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"]}],
        [{"sku": "cup"}],
        {"_id": "1"},
        rules=_ORDER,
        datasets=_ORDERS,
    ),
    shows(
        ["apply-hops", "order", {"datasets": ["orders o"], "where": ["eq", "_S.ids", "o._id"]}],
        [{"sku": "cup"}, {"sku": "pot"}],
        {"ids": ["o1", "o2"]},
        rules=_ORDER,
        datasets=_ORDERS,
    ),
    shows(
        ["apply-hops", "order", {"datasets": ["orders o"], "where": ["eq", "_S.none", "o._id"]}],
        [],
        {"_id": "1"},
        rules=_ORDER,
        datasets=_ORDERS,
    ),
    pure=False,
)
def _apply_hops(making: Making, call: Call) -> Run:
    joined, applied = _joining(making, call, call.args[1]), applying(making, call)
    return lambda scope: applied(scope, joined(scope))


@hops.special(
    "lookup-entity",
    "DATASET ID",
    "The entity of a dataset with this `_id`; null if there is none.",
    shows(["lookup-entity", "orders", "o2"], {"_id": "o2", "customer": "2", "sku": "pot"}, {}, datasets=_ORDERS),
    shows(
        ["lookup-entity", "orders", ["list", "o1", "o2"]],
        {"_id": "o1", "customer": "1", "sku": "cup"},
        {},
        datasets=_ORDERS,
    ),
    shows(["lookup-entity", "orders", None], None, {}, datasets=_ORDERS),
    pure=False,
)
def _lookup_entity(making: Making, call: Call) -> Run:
    dataset, id_ = map(making.expression, call.args)

    def run(scope: Scope) -> Entity | None:
        name, sought = first(dataset(scope)), first(id_(scope))
        if type(name) is not str or type(sought) is not str:
            return None
        return datasets_of(scope, call).get(name, sought)

    return run


@hops.special(
    "completeness",
    "VIA DATASET",
    "Up to which time a dataset is complete, as far as the dataset VIA knows; null where it does not.",
    shows(["completeness", "orders", "orders"], "~t2026-01-01T12:00:00Z", {}, datasets=_ORDERS),
    shows(["completeness", ["list", "customers"], "orders"], None, {}),
    shows(["completeness", None, "orders"], None, {}),
    pure=False,
)
def _completeness(making: Making, call: Call) -> Run:
    via, dataset = map(making.expression, call.args)

    def run(scope: Scope) -> Datetime | None:
        through, name = first(via(scope)), first(dataset(scope))
        if type(through) is not str or type(name) is not str:
            return None
        found = datasets_of(scope, call).completeness(through, name)
        return None if found is None else Datetime(found)

    return run
