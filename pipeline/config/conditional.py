"""`$conditional_properties` as it stands in a tree: where it may stand, what it may choose from. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from pipeline.config.near import near
from pipeline.config.tree import Broken, Member, Node, Object

CONDITIONAL: Final = "$conditional_properties"
_beginnings: Final = frozenset({"$c", "$C", "co", "Co"})
# Looking whether two names are near is slow; more names that begin alike are no spelling mistakes.
_MOST: Final = 100
PARTS: Final = ("condition", "alternatives")


def misspelt(names: Iterable[str]) -> list[str]:
    """The names that mean `$conditional_properties` and are written otherwise."""
    likely = (name for name in names if name[:2] in _beginnings and name != CONDITIONAL)
    return [name for name in islice(likely, _MOST) if near(name, [CONDITIONAL])]


def is_data(key: str, path: tuple[str, ...]) -> bool:
    """Whether a property holds rules or entities: nothing is chosen in those. `path` leads to its object."""
    return key == "transform" or (key == "entities" and "source" in path)


def alternatives_in(spec: Node) -> Mapping[str, Object]:
    """The alternatives of a `$conditional_properties` that are objects, by name."""
    member = spec.members.get("alternatives") if isinstance(spec, Object) else None
    if member is None or not isinstance(member.value, Object):
        return {}
    return {name: each.value for name, each in member.value.members.items() if isinstance(each.value, Object)}


def without(node: Object) -> dict[str, Member]:
    """The properties beside a `$conditional_properties`."""
    return {key: member for key, member in node.members.items() if key != CONDITIONAL}


def undecided(node: Object) -> Object:
    """The object while it is not known which alternative counts: unknown is whatever one of them may set."""
    members = without(node)
    fixed = {"_id", "type"} & members.keys() if "_id" in members else set()
    spec = node.members.get(CONDITIONAL)
    for alternative in alternatives_in(spec.value).values() if spec else ():
        for key, member in undecided(alternative).members.items():
            if key not in fixed:
                members[key] = Member(member.key, Broken(member.value.start, member.value.end))
    return replace(node, members=members, whole=node.whole and spec is None)
