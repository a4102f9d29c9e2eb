"""Functions of identifiers in namespaces. No I/O."""

from __future__ import annotations

from typing import Any, Final

from pipeline.dtl.casts import type_test
from pipeline.dtl.namespaces import identifier_of, space_of
from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.entity import NI, URI

namespaced_identifiers: Final = Subject(
    "namespaced-identifiers",
    "Namespaced identifiers",
    "`crm:42` is the identifier `42` in the namespace `crm`: what is before the last colon. In JSON it is written "
    "`~:crm:42`.",
)

# The one prefix that has a namespace without a declaration.
_DEFAULT_PREFIX: Final = "http://example.org/"
_DEFAULT_SPACE: Final = "_:"


@namespaced_identifiers.each(
    "ni",
    "[NAMESPACE] VALUES",
    (str, NI, URI),
    "Each string as an identifier in NAMESPACE, as it stands. Without NAMESPACE a string has its own, an identifier "
    "stays as it is, and an address becomes an identifier.",
    shows(["ni", "crm", ["string", "_S.id"]], "~:crm:42", {"id": 42}),
    shows(["ni", ["list", "crm:42", 5, "~:crm:43"]], ["~:crm:42", "~:crm:43"]),
    shows(["ni", "~rhttps://example.com/kari"], "~:https://example.com/kari"),
    shows(["ni", "crm", "~rhttps://example.com/kari"], None),
    shows(["ni", "crm", None], None),
)
def _ni(space: Any, value: Any) -> Any:
    if space is not None:
        if type(space) is not str:
            raise ValueError("NAMESPACE is a string")
        return NI(f"{space}:{value}") if type(value) is str else DROP
    if type(value) is URI:
        return NI(collapsed(value.text))
    return NI(value) if type(value) is str else value


def collapsed(address: str) -> str:
    """An address as an identifier. No other prefixes are declared: the others are namespaces themselves."""
    if address.startswith(_DEFAULT_PREFIX):
        return _DEFAULT_SPACE + address.removeprefix(_DEFAULT_PREFIX)
    return address


def expanded(identifier: str) -> str:
    """The address that was collapsed; what was none stays as it is."""
    if identifier.startswith(_DEFAULT_SPACE):
        return _DEFAULT_PREFIX + identifier.removeprefix(_DEFAULT_SPACE)
    return identifier


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
