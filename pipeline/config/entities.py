"""The entities that a configuration holds itself: each has an `_id`, and none has that of another. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from pipeline.config.given import advice, note, opening
from pipeline.config.shape import shapes
from pipeline.config.tree import Array, Broken, Document, Node, Object, Scalar, plain
from pipeline.config.typed import Component
from pipeline.config.validate import describe
from pipeline.errors import Label, Problem, Span

Path = tuple[str, ...]

# More of one kind in one list is one fault many times.
MOST_TOLD: Final = 20
LONGEST_SHOWN: Final = 60


def entity_ids(components: Iterable[Component]) -> Iterator[Problem]:
    """W216 for an `_id` that two entities have, W217 for an entity without one."""
    for top in components:
        # A transform may give each entity its `_id`.
        needed = not top.given.get("transform")
        for part in top.walk():
            for name, shape in shapes(part.model).items():
                member = part.given.node.members.get(name) if shape.entities else None
                if member is not None and isinstance(member.value, Array):
                    document, path = part.given.document, (*part.given.path, name)
                    yield from _cut(_twice(document, path, member.value.items))
                    yield from _cut(_missing(document, path, member.value.items)) if needed else ()


def _twice(document: Document, path: Path, entities: Sequence[Node]) -> Iterator[Problem]:
    first: dict[str, Node] = {}
    for node in map(_id, entities):
        text = node.value if isinstance(node, Scalar) else None
        # A reference is not known here.
        if node is None or not isinstance(text, str) or not text or "$" in text:
            continue
        earlier = first.setdefault(text, node)
        if earlier is not node:
            shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
            yield Problem(
                "W216",
                f'two entities have the `_id` "{shown}"',
                document.span(node),
                "again here",
                path,
                related=(Label(document.span(earlier), "first here"),),
                notes=(
                    note("to everything behind the source they are one entity that has changed"),
                    advice("give each an `_id` of its own"),
                ),
            )


def _missing(document: Document, path: Path, entities: Sequence[Node]) -> Iterator[Problem]:
    for entity in entities:
        node = _id(entity)
        if isinstance(entity, Object) and node is None and entity.whole:
            start = opening(document, entity)
            yield _without(start, path, "this entity has no `_id`", "no `_id` in this object", 'add `"_id": "…"`')
        elif node is not None and not isinstance(node, Broken):
            value = plain(node)
            if value == "":
                yield _without(document.span(node), path, "the `_id` of this entity is empty", "", "write a name")
            elif not isinstance(value, str):
                what = describe(value)
                message = f"the `_id` of this entity is {what}, not a string"
                yield _without(document.span(node), path, message, what, "write it in quotes")


def _without(span: Span, path: Path, message: str, label: str, help_: str) -> Problem:
    fact = note("what becomes of an entity is remembered by its `_id`; a transform can give it one")
    return Problem("W217", message, span, label, path, notes=(fact, advice(help_)))


def _id(entity: Node) -> Node | None:
    member = entity.members.get("_id") if isinstance(entity, Object) else None
    return member.value if member else None


def _cut(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first of them; the last that is told says how many more there are."""
    found = list(problems)
    told = found[:MOST_TOLD]
    if len(found) > MOST_TOLD:
        more = note(f"{len(found) - MOST_TOLD} more entities of this list are like it")
        told[-1] = replace(told[-1], notes=(*told[-1].notes, more))
    yield from told
