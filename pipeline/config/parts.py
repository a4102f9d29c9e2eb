"""The plain objects within a component, each as a `Given`, so that rules can look at them one by one. No I/O."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from pipeline.config.given import UNKNOWN, Given
from pipeline.config.tree import Array, Document, Member, Object
from pipeline.errors import Problem


def objects(
    document: Document,
    node: Object,
    values: Mapping[str, object],
    problems: Sequence[Problem],
    path: tuple[str, ...],
    pipe: str,
    named: Container[str] = (),
) -> dict[str, tuple[Given, ...]]:
    """For each property of `values` that holds an object, or a list of them: these, in their order.

    Of those that are `named` the property holds an object of objects, under names that are the user's.
    A value in them that one of the `problems` is about counts as unknown.
    """
    places = [problem.span.start for problem in problems if problem.span.file == document.name]

    def seen(member: Member | None, value: object) -> object:
        if member is not None and any(member.key.start <= place < member.value.end for place in places):
            return UNKNOWN
        return value

    found = {}
    for name, value in values.items():
        if name not in node.members:
            continue
        below = node.members[name].value
        nodes = below.items if isinstance(below, Array) else [below]
        raws = value if isinstance(value, list) else [value]
        paths = [(*path, name)] * len(raws)
        if name in named and isinstance(below, Object) and isinstance(value, dict):
            keys = [key for key in value if key in below.members]
            nodes, raws = [below.members[key].value for key in keys], [value[key] for key in keys]
            paths = [(*path, name, key) for key in keys]
        found[name] = tuple(
            Given(
                document,
                inner,
                {key: seen(inner.members.get(key), item) for key, item in raw.items()},
                way,
                pipe,
            )
            for inner, raw, way in zip(nodes, raws, paths, strict=False)
            if isinstance(inner, Object) and isinstance(raw, dict)
        )
    return found
