"""Passwords that stand in a configuration as they are. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from pipeline.config.conditional import is_data
from pipeline.config.given import advice
from pipeline.config.mask import is_secret_name
from pipeline.config.references import Ref, alike, scan
from pipeline.config.shape import shapes
from pipeline.config.strings import Offsets
from pipeline.config.tree import Array, Document, Node, Object, Scalar
from pipeline.config.typed import Component
from pipeline.errors import Note, Problem, Span
from pipeline.logins import logins_of

Path = tuple[str, ...]


def in_the_clear(components: Iterable[Component]) -> Iterator[Problem]:
    """W302: a secret that stands in the file as it is."""
    with_urls: dict[str, bool] = {}
    for top in components:
        for part in top.walk():
            given = part.given
            for name, path, node in _values(part.model, given.node, given.path):
                secret = name.replace("_", "-")
                what = "password" if "password" in name else "secret"
                move = advice(
                    f'move it to a secret and write "$SECRET({secret})"; `mailweir secret set {secret}`'
                    " stores it (input is hidden)"
                )
                yield _told(what, given.document.span(node), path, move)
        given = top.given
        name, text = given.document.name, given.document.text
        # The text is that of all components in a file: it is searched once.
        if name not in with_urls:
            with_urls[name] = "://" in text or ":\\" in text
        if with_urls[name]:
            yield from _in_urls(given.document, given.node, given.path)


def _told(what: str, span: Span, path: Path, move: Note) -> Problem:
    message = f"a {what} is written in the config file"
    return Problem("W302", message, span, "shown here as ******** only", path, notes=(move,))


def _values(model: type[BaseModel], node: Object, path: Path) -> Iterator[tuple[str, Path, Node]]:
    """The values of properties that take secrets."""
    for name, member in node.members.items():
        shape = shapes(model).get(name)
        if shape is None or shape.slot:
            continue
        value = member.value
        if isinstance(value, Scalar) and shape.takes_secret and is_secret_name(name):
            if isinstance(value.value, str) and value.value and not _refers(value.value):
                yield name, (*path, name), value
        elif shape.model:
            inside: list[Node] = [each.value for each in value.members.values()] if isinstance(value, Object) else []
            for inner in value.items if isinstance(value, Array) else inside if shape.named_parts else [value]:
                if isinstance(inner, Object):
                    yield from _values(shape.model, inner, (*path, name))


def _refers(text: str) -> bool:
    """Whether a text has a reference, or something that is meant as one and reported."""
    pieces, faults = scan(text)
    return bool(faults) or any(isinstance(piece, Ref) for piece in pieces) or any(alike(text))


def _in_urls(document: Document, node: Node, path: Path) -> Iterator[Problem]:
    """The passwords of logins in URLs, wherever they stand but in embedded entities."""
    match node:
        case Array():
            for item in node.items:
                yield from _in_urls(document, item, path)
        case Object():
            for name, member in node.members.items():
                if name != "entities" or not is_data(name, path):
                    yield from _in_urls(document, member.value, (*path, name))
        case Scalar(value=str() as text) if "://" in text and "@" in text:
            offsets = Offsets(document.text, node)
            for login in logins_of(text):
                if login.literal and not any(map(str.isspace, text[login.start : login.end])):
                    span = Span(document.name, offsets.at(login.start), offsets.at(login.end))
                    move = advice(
                        "take the login out of the URL: user name and password have properties of their own, where"
                        ' "$SECRET(name)" keeps the password out of the file'
                    )
                    yield _told("password", span, path, move)
