"""Entities whose names are addresses, as rules of the registry `rdf` in the metadata say. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from pipeline.dtl.namespaces import is_own
from pipeline.dtl.prefixes import registered
from pipeline.dtl.wildcards import matcher
from pipeline.entity import URI, Entity

# Of an address these stay as they are, unless the entry says otherwise.
_SAFE: Final = "/"
_ANY_DEPTH: Final = "**"
_FALLBACK: Final = "_"


class Expander(NamedTuple):
    """What the registry says of one kind of entities."""

    prefixes: Mapping[str, str]
    identity: str
    rules: Sequence[tuple[str, Sequence[str]]]
    safe: str

    @classmethod
    def of(cls, registry: Mapping[str, Any], key: str) -> Expander | None:
        """What is registered under a key; None if nothing is."""
        entry = registry.get(key)
        if not isinstance(entry, Mapping):
            return None
        rules = entry.get("prefix_rules")
        given = rules if isinstance(rules, Mapping) else {}
        safe = entry.get("quote_safe_characters")
        return cls(
            registered(registry, key),
            str(given.get("id", _FALLBACK)),
            _pairs(given.get("properties")),
            safe if isinstance(safe, str) else _SAFE,
        )

    def entity(self, found: Entity) -> Entity:
        """The entity with addresses for its `_id`, for the names of its properties and in its addresses."""
        made = self._properties(found, ())
        if isinstance(found.get("_id"), str):
            made["_id"] = self._address(found["_id"], self.identity)
        return made

    def _properties(self, found: Mapping[str, Any], parents: tuple[str, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, value in found.items():
            path = (*parents, name)
            made[name if is_own(name) else self._address(name, self._prefix(path))] = self._value(value, path)
        return made

    def _value(self, value: Any, path: tuple[str, ...]) -> Any:
        if type(value) is dict:
            return self._properties(value, path)
        if type(value) is list:
            return [self._value(one, path) for one in value]
        if type(value) is URI:
            return URI(self._full(value.text))
        return value

    def _prefix(self, path: tuple[str, ...]) -> str:
        return next((prefix for prefix, pattern in self.rules if _fits(pattern, path)), _FALLBACK)

    def _address(self, name: str, prefix: str) -> str:
        """`<address>`; a name in `<>` is one already, or has a prefix of its own."""
        if name.startswith("<") and name.endswith(">"):
            return f"<{self._full(name[1:-1])}>"
        return f"<{self.prefixes.get(prefix, prefix + ':')}{quote(name, safe=self.safe)}>"

    def _full(self, text: str) -> str:
        prefix, colon, rest = text.partition(":")
        return self.prefixes[prefix] + rest if colon and prefix in self.prefixes else text


def _pairs(given: object) -> list[tuple[str, Sequence[str]]]:
    if not isinstance(given, list):
        return []
    found: list[tuple[str, Sequence[str]]] = []
    for prefix, pattern in zip(given[::2], given[1::2], strict=False):
        if isinstance(prefix, str) and isinstance(pattern, list) and all(isinstance(one, str) for one in pattern):
            found.append((prefix, pattern))
    return found


def _fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a path ends as a pattern says; `**` stands for any number of names."""
    # Which beginnings of the pattern fit so far: each name is looked at once for each part of the pattern.
    ready = _skipped(pattern, {0})
    for name in path:
        after = {at if pattern[at] == _ANY_DEPTH else at + 1 for at in ready if _takes(pattern, at, name)}
        # A pattern may begin at any name.
        ready = _skipped(pattern, after | {0})
    return len(pattern) in ready


def _takes(pattern: Sequence[str], at: int, name: str) -> bool:
    return at < len(pattern) and (pattern[at] == _ANY_DEPTH or matcher(pattern[at])(name))


def _skipped(pattern: Sequence[str], places: set[int]) -> set[int]:
    found = set(places)
    for at in range(len(pattern)):
        if at in found and pattern[at] == _ANY_DEPTH:
            found.add(at + 1)
    return found
