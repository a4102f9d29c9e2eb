"""The alternatives of `$conditional_properties` that are not chosen: each is checked as if it were. No I/O.

A fault in what only production uses is found in a test, and without any value. References count as set and of the
right type there, so that no alternative needs the values of another place. One condition at a time is decided
otherwise; what the others may set is unknown meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipeline.config.conditional import CONDITIONAL, alternatives_in, is_data, undecided, without
from pipeline.config.given import note
from pipeline.config.named import Named, references
from pipeline.config.registry import Registry
from pipeline.config.resolve import Lookup, Resolver
from pipeline.config.tree import Array, Broken, Document, Member, Node, Object
from pipeline.config.typed import MOST_PROBLEMS, Component, Typer
from pipeline.errors import Problem

# Each check costs as much as what it looks at. What stands beside an alternative and has more characters is unknown
# while the alternative is checked.
LARGEST_BESIDE: Final = 2000
# However short it is, to check an alternative takes about as long as so many characters.
_LEAST: Final = 500
# Characters that the checks of one file look at, all together: somewhat less than a file of the largest size has.
_MOST: Final = 6_000_000


@dataclass(frozen=True, slots=True)
class Alternative:
    """What is wrong with an alternative, what it names, and the component as it would be with it.

    `decided`: its condition is known, and chose another one; then nothing of this is used.
    """

    component: Component | None
    named: Sequence[Named]
    problems: Sequence[Problem]
    decided: bool


@dataclass(frozen=True, slots=True)
class _Tree:
    """A tree with one alternative where its condition puts it, and what it costs to look at it."""

    node: Node
    name: str
    alternative: Object
    decided: bool
    cost: int


def alternatives(
    document: Document,
    registry: Registry,
    chosen: Container[int],
    templates: Mapping[str, Document],
    modules: Mapping[str, Document] | None = None,
) -> Iterator[Alternative]:
    """Those that do not begin at a `chosen` place. Their problems repeat the faults of what stands beside them."""
    if CONDITIONAL not in document.text:
        return
    tops = document.root.items if isinstance(document.root, Array) else [document.root]
    left, told = _MOST, 0
    for tree in (tree for top in tops if isinstance(top, Object) for tree in _trees(top, (), chosen)):
        if tree.alternative.start in chosen:
            continue
        left -= tree.cost
        if left < 0 or told > MOST_PROBLEMS:
            break
        found = _checked(tree, document, lambda resolver: Typer(document, registry, resolver, templates, modules))
        told += len(found.problems)
        yield found


def _checked(tree: _Tree, document: Document, typed: Callable[[Resolver], Typer]) -> Alternative:
    resolver = Resolver(document, Lookup(take_env=False, take_secrets=False))
    typer = typed(resolver)
    component = typer.top(tree.node) if isinstance(tree.node, Object) else None
    start, end = tree.alternative.start, tree.alternative.end
    uses = references([component]) if component else ()
    named = [use for use in uses if start <= use.span.start and use.span.end <= end]
    about = note(f"with the alternative `{tree.name}`{', which is not chosen here' if tree.decided else ''}")
    faults = (*resolver.problems, *typer.problems)
    problems = [replace(problem, notes=(*problem.notes, about)) for problem in faults]
    return Alternative(component, named, problems, tree.decided)


def _trees(node: Node, path: tuple[str, ...], chosen: Container[int]) -> Iterator[_Tree]:
    """The tree as often as it has alternatives, each time with another of them in its place."""
    match node:
        case Array():
            for item in node.items:
                for tree in _trees(item, path, chosen):
                    yield replace(tree, node=replace(node, items=[tree.node], whole=False))
        case Object():
            if CONDITIONAL in node.members:
                yield from _in_place(node, path, chosen)
            below = [
                (key, member)
                for key, member in node.members.items()
                if isinstance(member.value, Array | Object) and key != CONDITIONAL and not is_data(key, path)
            ]
            kept = None
            for key, member in below:
                for tree in _trees(member.value, (*path, key), chosen):
                    kept = kept or _beside(undecided(node))
                    members = {**kept.members, key: replace(member, value=tree.node)}
                    yield replace(tree, node=replace(kept, members=members), cost=tree.cost + _cost(kept))


def _in_place(node: Object, path: tuple[str, ...], chosen: Container[int]) -> Iterator[_Tree]:
    """The object with each of its own alternatives, and with each of those within them."""
    named = alternatives_in(node.members[CONDITIONAL].value)
    decided = any(alternative.start in chosen for alternative in named.values())
    kept = _beside(replace(node, members=without(node)))
    cost = _cost(kept) + _LEAST
    for name, alternative in named.items():
        whole = node.whole and alternative.whole
        members = {**kept.members, **alternative.members}
        size = alternative.end - alternative.start
        yield _Tree(replace(node, members=members, whole=whole), name, alternative, decided, cost + size)
        for tree in _trees(alternative, path, chosen):
            if isinstance(tree.node, Object):
                members, whole = {**kept.members, **tree.node.members}, node.whole and tree.node.whole
                yield replace(tree, node=replace(node, members=members, whole=whole), cost=tree.cost + cost)


def _beside(node: Object) -> Object:
    """The object without what is large in it."""
    members = {
        key: replace(member, value=Broken(member.value.start, member.value.end))
        if _size(member) > LARGEST_BESIDE
        else member
        for key, member in node.members.items()
    }
    return replace(node, members=members)


def _size(member: Member) -> int:
    return member.value.end - member.value.start


def _cost(node: Object) -> int:
    return sum(min(_size(member), 10) + len(key) for key, member in node.members.items())
