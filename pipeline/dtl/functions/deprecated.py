"""Functions that rules of long ago use, and new ones do without. No I/O: the datasets are an argument of the run."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

from pipeline.component import Datasets
from pipeline.dtl.errors import located
from pipeline.dtl.functions.hops import datasets_of
from pipeline.dtl.functions.namespaced_identifiers import with_prefixes
from pipeline.dtl.prefixes import collapsed, expanded
from pipeline.dtl.rdf import Expander
from pipeline.dtl.registry import DROP, Making, Run, Subject, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.dtl.values import first, listed
from pipeline.entity import NI, URI, Entity

deprecated: Final = Subject("deprecated", "Deprecated", "They work, and each says what to use instead.")

_SCHEME: Final = "sesam:"


@deprecated.special(
    "ni-collapse",
    "VALUES",
    "Each address of the web, also as a string, as an identifier, by the longest prefix that the metadata declares as "
    "`namespaces.default`.",
    shows(["ni-collapse", "http://xmlns.com/foaf/0.1/name"], "~:foaf:name"),
    shows(["ni-collapse", ["list", "~rhttps://example.com/a", "ftp://a", 5]], ["~:https://example.com/a"]),
    shows(["ni-collapse", None], None),
    deprecated="ni",
    pure=False,
)
def _ni_collapse(making: Making, call: Call) -> Run:
    def collapse(value: Any, scope: Scope) -> Any:
        text = str(value)
        return NI(collapsed(text, scope.host.prefixes)) if text.startswith(("http://", "https://")) else DROP

    return with_prefixes({str, URI}, collapse, making, call)


@deprecated.special(
    "ni-expand",
    "VALUES",
    "Each identifier as the string of the address that its namespace and it make.",
    shows(["ni-expand", "~:foaf:name"], "http://xmlns.com/foaf/0.1/name"),
    shows(["ni-expand", ["list", "~:https://example.com/a", "~:crm:42", 5]], ["https://example.com/a", "crm:42"]),
    shows(["ni-expand", None], None),
    deprecated="uri",
    pure=False,
)
def _ni_expand(making: Making, call: Call) -> Run:
    return with_prefixes({NI}, lambda value, scope: expanded(value.text, scope.host.prefixes), making, call)


@deprecated.each(
    "curie",
    "PREFIX VALUES",
    str,
    "Each string as an address with PREFIX and a colon before it.",
    shows(["curie", "foaf", "_S.name"], "~rfoaf:Kari", {"name": "Kari"}),
    shows(["curie", "foaf", ["list", "a", 5]], ["~rfoaf:a"]),
    shows(["curie", "foaf", None], None),
    deprecated="ni",
)
def _curie(prefix: Any, text: str) -> URI:
    if type(prefix) is not str:
        raise ValueError("PREFIX is a string")
    return URI(f"{prefix}:{text}")


@deprecated.each(
    "reference",
    "DATASET VALUES",
    str,
    "For each `_id` the address by which `lookup` finds the entity of a dataset.",
    shows(["reference", "customers", "_S.customer"], "~rsesam:customers/kari%20%C3%A5s", {"customer": "kari ås"}),
    shows(["reference", "customers", ["list", "1", 5]], ["~rsesam:customers/1"]),
    shows(["reference", "customers", None], None),
    deprecated="ni",
)
def _reference(dataset: Any, id: str) -> URI:
    if type(dataset) is not str:
        raise ValueError("DATASET is a string")
    return URI(f"{_SCHEME}{quote(dataset, safe='')}/{quote(id, safe='')}")


_CUSTOMERS: Final = {"customers": [{"_id": "1", "name": "Kari"}]}


@deprecated.special(
    "lookup",
    "[DATASETS] REFERENCES",
    "The entities that are referred to, each with its dataset as `_dataset`: by an address that `reference` made, or "
    "by an `_id` in DATASETS, or else in the dataset that is read.",
    shows(
        ["lookup", "~rsesam:customers/1"], {"_id": "1", "name": "Kari", "_dataset": "customers"}, datasets=_CUSTOMERS
    ),
    shows(
        ["lookup", ["list", "customers", "people"], ["list", "1", 5]],
        [{"_id": "1", "name": "Kari", "_dataset": "customers"}],
        datasets=_CUSTOMERS,
    ),
    shows(["lookup", "customers", None], None),
    deprecated="lookup-entity",
    pure=False,
)
def _lookup(making: Making, call: Call) -> Run:
    where = None if call.args[0] is None else making.expression(call.args[0])
    references = making.expression(call.args[1])

    def run(scope: Scope) -> Any:
        datasets = datasets_of(scope, call)
        given = None if where is None else where(scope)
        names = [scope.host.source] if where is None else listed(given)
        sought = references(scope)
        found = [entity for one in listed(sought) for entity in _found(one, names, datasets)]
        if type(sought) is list or type(given) is list:
            return found
        return found[0] if found else None

    return run


def _found(reference: Any, names: Any, datasets: Datasets) -> list[Entity]:
    if type(reference) not in {str, URI}:
        return []
    text = str(reference)
    if text.startswith(_SCHEME):
        name, slash, id_ = text.removeprefix(_SCHEME).partition("/")
        places = [(unquote(name), unquote(id_))] if slash else []
    else:
        places = [(name, text) for name in names if type(name) is str and type(reference) is str]
    found = ((name, datasets.get(name, id_)) for name, id_ in places)
    return [{**entity, "_dataset": name} for name, entity in found if entity is not None]


_PEOPLE: Final = {
    "people": {
        "prefixes": {"person": "https://example.com/people/", "_": "https://example.com/terms/"},
        "prefix_rules": {"id": "person"},
    }
}


@deprecated.special(
    "uri-expand",
    "[FUNCTION:each] VALUES",
    "Each entity with addresses for names, by the rules that the metadata has in `rdf` under what FUNCTION gives for "
    "it, or else under its `_dataset`. What has none is left out.",
    shows(
        ["uri-expand", ["string", "people"], "_S."],
        {"_id": "<https://example.com/people/1>", "<https://example.com/terms/name>": "Kari"},
        {"_id": "1", "name": "Kari"},
        rdf=_PEOPLE,
    ),
    shows(["uri-expand", "_S."], None, {"_id": "1", "_dataset": "people", "name": "Kari"}),
    shows(["uri-expand", ["list", {"_id": "1", "name": "Kari"}, 5]], []),
    shows(["uri-expand", ["string", "people"], None], None),
    deprecated="uri",
    pure=False,
)
def _uri_expand(making: Making, call: Call) -> Run:
    function = None if call.args[0] is None else making.expression(call.args[0])
    values = making.expression(call.args[1])

    def one(scope: Scope, entity: Any) -> Entity | None:
        if type(entity) is not dict:
            return None
        key = entity.get("_dataset") if function is None else first(scope.with_value(function, entity))
        expander = Expander.of(scope.host.rdf, key) if type(key) is str else None
        return None if expander is None else expander.entity(entity)

    def run(scope: Scope) -> Any:
        found = values(scope)
        try:
            made = [entity for each in listed(found) if (entity := one(scope, each)) is not None]
        except Exception as error:
            raise located(error, call, found) from error
        if type(found) is list:
            return made
        return made[0] if made else None

    return run
