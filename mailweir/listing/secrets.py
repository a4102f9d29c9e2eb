"""Which components name which secrets, in every profile: also where a condition does not choose them now. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.config.conditional import CONDITIONAL
from pipeline.config.references import Ref, scan
from pipeline.config.tree import Array, Document, Node, Object, Scalar


def mentioned(documents: Iterable[Document]) -> dict[str, tuple[str, ...]]:
    """Secret → the properties that name it (`our-smtp-server.smtp_password`), in the order of the files."""
    found: dict[str, dict[str, None]] = {}
    for document in documents:
        tops = document.root.items if isinstance(document.root, Array) else [document.root]
        for top in tops:
            if isinstance(top, Object):
                for name, path in _within(top, (_id(top),)):
                    found.setdefault(name, {})[".".join(part for part in path if part)] = None
    return {name: tuple(places) for name, places in found.items()}


def _within(node: Node, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    match node:
        case Scalar(value=str() as text):
            pieces, _ = scan(text)
            for piece in pieces:
                if isinstance(piece, Ref) and piece.kind == "SECRET":
                    yield piece.name, path
        case Array():
            for item in node.items:
                yield from _within(item, path)
        case Object():
            for key, member in node.members.items():
                yield from (
                    _alternatives(member.value, path) if key == CONDITIONAL else _within(member.value, (*path, key))
                )


def _alternatives(node: Node, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The properties of an alternative stand where the condition puts them."""
    member = node.members.get("alternatives") if isinstance(node, Object) else None
    if member is not None and isinstance(member.value, Object):
        for alternative in member.value.members.values():
            yield from _within(alternative.value, path)


def _id(top: Object) -> str:
    member = top.members.get("_id")
    return (
        member.value.value
        if member and isinstance(member.value, Scalar) and isinstance(member.value.value, str)
        else ""
    )
