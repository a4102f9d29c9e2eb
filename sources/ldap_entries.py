"""Entries of a directory become entities. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from pipeline.entity import Datetime, Entity
from systems.ldap.types import Kind, kind_of, value_of

# What nobody means who reads all: keys and passwords, as they are or hashed.
_PASSWORDS: Final = frozenset(
    {
        *("authpassword", "krbprincipalkey", "ms-mcs-admpwd", "mslaps-password", "olcrootpw", "unicodepwd"),
        *("sambalmpassword", "sambantpassword", "sambapasswordhistory", "userpassword"),
    }
)
_ALL: Final = frozenset({"*", "+"})


class Shape:
    """Which attributes are properties, and which of them is the `_id`. Names of attributes have no case."""

    def __init__(
        self, attributes: Sequence[str], without: Sequence[str] = (), key: str = "dn", updated: str | None = None
    ) -> None:
        """`updated` is asked for, and becomes a property only if it is named, or with `+`."""
        self._names = {name.lower(): name for name in attributes}
        self._all = not _ALL.isdisjoint(attributes)
        self._without = frozenset(name.lower() for name in without)
        self._key = key.lower()
        more = [one for one in (key, updated) if one is not None and one.lower() not in {*self._names, "dn"}]
        # `*` may bring the `_id` by itself; a time would make a change of each writing.
        hidden = (updated,) if self._all else more
        self._hidden = frozenset(one.lower() for one in hidden if one in more and "+" not in self._names)
        self.key = key
        self.wanted = (*attributes, *more)
        self._updated = None if updated is None else updated.lower()

    def entity(self, dn: str, values: Mapping[str, Sequence[bytes]], known: Mapping[str, Kind]) -> Entity | None:
        """An entry as an entity; None if it has not one value that can be its `_id`."""
        id_ = dn if self._key == "dn" else self._id(values, known)
        if not id_:
            return None
        found: Entity = {"_id": id_}
        if "dn" not in self._without:
            found["dn"] = dn
        for name, several in values.items():
            if several and (property_ := self._property(name)) is not None:
                kind = kind_of(name, known)
                typed = [value_of(kind, one) for one in several]
                found[property_] = typed[0] if len(typed) == 1 else typed
        return found

    def changed(self, values: Mapping[str, Sequence[bytes]]) -> Datetime | None:
        """When an entry was changed, if it says so."""
        for name, several in values.items():
            if name.lower() == self._updated and several:
                moment = value_of("time", several[0])
                return moment if isinstance(moment, Datetime) else None
        return None

    def _id(self, values: Mapping[str, Sequence[bytes]], known: Mapping[str, Kind]) -> str | None:
        for name, several in values.items():
            if name.lower() == self._key and len(several) == 1:
                value = value_of(kind_of(name, known), several[0])
                return value.hex() if isinstance(value, bytes) else text_of(value)
        return None

    def _property(self, name: str) -> str | None:
        """The property of an attribute: as the configuration writes it, or else as the directory does."""
        lower = name.lower()
        base = lower.partition(";")[0]
        if lower in self._without or base in self._without:
            return None
        if lower in self._names:
            return self._names[lower]
        if base in self._names:
            return self._names[base] + name[len(base) :]
        return name if self._all and lower not in self._hidden and base not in _PASSWORDS else None


def text_of(value: object) -> str:
    """A value as a part of an `_id`."""
    return str(value).lower() if isinstance(value, UUID | bool) else str(value)
