"""Functions of identifiers in namespaces. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from pipeline.dtl.casts import type_test
from pipeline.dtl.namespaces import identifier_of, space_of
from pipeline.dtl.prefixes import collapsed
from pipeline.dtl.registry import DROP, Making, Run, Subject, mapped, shows
from pipeline.dtl.scope import Scope
from pipeline.dtl.tree import Call
from pipeline.entity import NI, URI

namespaced_identifiers: Final = Subject(
    "namespaced-identifiers",
    "Namespaced identifiers",
    "`crm:42` is the identifier `42` in the namespace `crm`: what is before the last colon. In JSON it is written "
    "`~:crm:42`.",
)


def with_prefixes(fits: Collection[type], work: Callable[[Any, Scope], Any], making: Making, call: Call) -> Run:
    """As `each`, for what needs the prefixes that the project declares."""
    values = making.expression(call.args[-1])

    def run(scope: Scope) -> Any:
        found = values(scope)
        if type(found) is list:
            return [made for one in found if type(one) in fits and (made := work(one, scope)) is not DROP]
        made = work(found, scope) if type(found) in fits else None
        return None if made is DROP else made

    return run


@namespaced_identifiers.special(
    "ni",
    "[NAMESPACE] VALUES",
    "Each string as an identifier in NAMESPACE, as it stands. Without NAMESPACE a string has its own, an identifier "
    "stays as it is, and an address becomes an identifier by the longest prefix that the metadata declares as "
    "`namespaces.default`, or else as it stands.",
    shows(["ni", "crm", ["string", "_S.id"]], "~:crm:42", {"id": 42}),
    shows(["ni", ["list", "crm:42", 5, "~:crm:43"]], ["~:crm:42", "~:crm:43"]),
    shows(["ni", ["list", "~rhttp://xmlns.com/foaf/0.1/name", "~rtel:112"]], ["~:foaf:name", "~:tel:112"]),
    shows(["ni", "crm", "~rhttps://example.com/kari"], None),
    shows(["ni", "crm", None], None),
)
def _ni(making: Making, call: Call) -> Run:
    if call.args[0] is None:
        return with_prefixes({str, NI, URI}, _own, making, call)
    return mapped(_in_space, frozenset({str}), making, call)


def _in_space(space: Any, text: str) -> NI:
    if type(space) is not str:
        raise ValueError("NAMESPACE is a string")
    return NI(f"{space}:{text}")


def _own(value: Any, scope: Scope) -> NI:
    if type(value) is URI:
        return NI(collapsed(value.text, scope.host.prefixes))
    return NI(value) if type(value) is str else value


@namespaced_identifiers.each(
    "ni-id",
    "VALUES",
    (str, NI),
    "What is behind the last colon of each identifier or string: all of it, if there is none.",
    shows(["ni-id", "_S.customer"], "42", {"customer": "~:crm:42"}),
    shows(["ni-id", ["list", "a:b:c", "d", 5]], ["c", "d"]),
    shows(["ni-id", None], None),
)
def _ni_id(value: Any) -> str:
    return identifier_of(str(value))


@namespaced_identifiers.each(
    "ni-ns",
    "VALUES",
    (str, NI),
    "The namespace of each identifier or string: what is before the last colon, or nothing.",
    shows(["ni-ns", "_S.customer"], "crm", {"customer": "~:crm:42"}),
    shows(["ni-ns", ["list", "a:b:c", "d", 5]], ["a:b", ""]),
    shows(["ni-ns", None], None),
)
def _ni_ns(value: Any) -> str:
    return space_of(str(value))


type_test(
    namespaced_identifiers,
    "is-ni",
    frozenset({NI}),
    "Whether the first value is an identifier in a namespace.",
    shows(["is-ni", "_S.customer"], True, {"customer": "~:crm:42"}),
    shows(["is-ni", ["list", "crm:42", "~:crm:42"]], False),
    shows(["is-ni", None], False),
)
