"""Every `$ENV()` and `$SECRET()` of a project: its value or that it is set, where it is found, what uses it. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.config.lookup import Place, spellings
from pipeline.config.mask import is_secret_name, without_secrets
from pipeline.config.references import RefKind
from pipeline.config.resolve import Use
from pipeline.config.tree import Document
from pipeline.config.unused import references_in
from pipeline.secret import Secret

State = Literal["shown", "hidden", "unset"]


@dataclass(frozen=True, slots=True)
class Value:
    """A reference. `value` is given only when it may be shown.

    `used_by` are the properties that take it. `elsewhere`: only an alternative that is not chosen now names it.
    """

    kind: RefKind
    name: str
    state: State
    value: object = None
    place: str = ""
    used_by: tuple[str, ...] = ()
    elsewhere: bool = False

    @property
    def reference(self) -> str:
        """As a configuration writes it."""
        return f"${self.kind}({self.name})"

    @property
    def words(self) -> str:
        """The value, or what can be said of it."""
        match self.state:
            case "unset":
                return "not set"
            case "hidden":
                return "set, not shown"
        return self.value if isinstance(self.value, str) and self.value else json.dumps(self.value, ensure_ascii=False)


def values(uses: Iterable[Use], own: Sequence[Place], documents: Iterable[Document]) -> list[Value]:
    """Variables, then secrets: what is used, in the order of the files; then what `own` places set for nothing."""
    by_name: dict[tuple[RefKind, str], list[Use]] = {}
    for use in uses:
        by_name.setdefault((use.kind, use.name), []).append(use)
    used = [_used(kind, name, found) for (kind, name), found in by_name.items()]
    taken = {
        (use.kind, use.found.place.name, use.found.spelling)
        for found in by_name.values()
        for use in found
        if use.found is not None
    }
    written = {(ref.kind, ref.name) for document in documents for ref in references_in(document)} - by_name.keys()
    elsewhere = {(kind, spelling) for kind, name in written for spelling in spellings(name)}
    unused = [replace(value, elsewhere=(value.kind, value.name) in elsewhere) for value in _unused(own, taken)]
    return sorted([*used, *unused], key=lambda value: (value.kind, not value.used_by))


def _used(kind: RefKind, name: str, uses: Sequence[Use]) -> Value:
    found = uses[0].found
    used_by = tuple(dict.fromkeys(".".join(use.path) for use in uses))
    if found is None:
        return Value(kind, name, "unset", used_by=used_by)
    secret = any(use.secret for use in uses)
    return _found(kind, name, found.value, found.place, used_by, secret=secret)


def _unused(own: Sequence[Place], taken: set[tuple[RefKind, str, str]]) -> Iterator[Value]:
    for place in own:
        for name in place.names:
            value = place.values.get(name)
            kind: RefKind = "SECRET" if isinstance(value, Secret) else "ENV"
            if (kind, place.name, name) not in taken:
                yield _found(kind, name, value, place, (), secret=False)


def _found(kind: RefKind, name: str, value: object, place: Place, used_by: tuple[str, ...], *, secret: bool) -> Value:
    if kind == "SECRET" or secret or is_secret_name(name):
        return Value(kind, name, "hidden", None, place.name, used_by)
    return Value(kind, name, "shown", without_secrets(value), place.name, used_by)
