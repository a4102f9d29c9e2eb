"""Values of a configuration whose texts may be templates: compiled once, made for each request. No I/O.

Two words in a text that a template has made say what becomes of it: with `sesam:markjson` it is read as JSON, and what
has `sesam:markskip` is left out of its object or list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import DecodeError

from pipeline.config.given import within
from pipeline.config.tree import Array, Node, Object, Scalar
from pipeline.entity import from_json
from pipeline.errors import Problem, UnusableError
from pipeline.template.faults import Where, original, plain_lines
from pipeline.template.templates import Template, Templates

if TYPE_CHECKING:
    from pipeline.config.given import Given

AS_JSON: Final = "sesam:markjson"
LEFT_OUT: Final = "sesam:markskip"

Variables = Mapping[str, Any]
Make = Callable[[Variables], object]
_marks: Final = ("{{", "{%", "{#")


class NotMadeError(Exception):
    """A template has no answer to these variables; the text says which and why, without their values."""


class Written:
    """A value as it is written."""

    def __init__(self, name: str, value: object, templates: Templates) -> None:
        """`name` is what faults call it. UnusableError for a template that cannot be read."""
        self._make = _compiled(name, value, templates)

    def make(self, variables: Variables) -> Any:  # noqa: ANN401 - any value of JSON
        """What it is with these variables; None for what is left out."""
        made = self._make(variables)
        return None if made is LEFT_OUT else made

    def text(self, variables: Variables) -> str:
        """The same as a text; one that is left out is empty."""
        made = self.make(variables)
        return "" if made is None else str(made)


def is_template(text: str) -> bool:
    """Whether there is anything to be rendered."""
    return any(mark in text for mark in _marks)


def _compiled(name: str, value: object, templates: Templates) -> Make:
    if isinstance(value, str):
        return _of_text(name, value, templates)
    if isinstance(value, Mapping):
        members = [
            (_of_text(f"{name}.{key}", key, templates), _compiled(f"{name}.{key}", inner, templates))
            for key, inner in value.items()
        ]
        return lambda variables: _object(members, variables)
    if isinstance(value, list | tuple):
        items = [_compiled(f"{name}[{at}]", inner, templates) for at, inner in enumerate(value)]
        return lambda variables: [made for item in items if (made := item(variables)) is not LEFT_OUT]
    return lambda _: value


def _object(members: Iterable[tuple[Make, Make]], variables: Variables) -> dict[str, object]:
    pairs = ((key(variables), value(variables)) for key, value in members)
    return {str(key): value for key, value in pairs if key is not LEFT_OUT and value is not LEFT_OUT}


def _of_text(name: str, text: str, templates: Templates) -> Make:
    if not is_template(text):
        fixed = _marked(name, text)
        return lambda _: fixed
    template = templates.compile(text, "text", Where(plain_lines(text), (name,)))
    if not isinstance(template, Template):
        raise UnusableError(f"`{name}`: {template[0].message}")

    def make(variables: Variables) -> object:
        made = template.render(variables)
        if not isinstance(made, str):
            raise NotMadeError(f"`{name}`: {made.message}")
        return _marked(name, made)

    return make


def _marked(name: str, text: str) -> object:
    if LEFT_OUT in text:
        return LEFT_OUT
    if AS_JSON not in text:
        return text
    try:
        return from_json(text.replace(AS_JSON, "").encode())
    except (DecodeError, UnicodeEncodeError, RecursionError):
        raise NotMadeError(f"`{name}`: what the template makes is no JSON") from None


def faults(given: Given, names: Iterable[str], templates: Templates) -> Iterator[Problem]:
    """Faults of the templates in these properties of an object, each at its character, at any depth."""
    for name in names:
        member = given.node.members.get(name)
        if member is not None and given.has(name):
            yield from _faults(given, member.value, (*given.path, name), templates)


def _faults(given: Given, node: Node, path: tuple[str, ...], templates: Templates) -> Iterator[Problem]:
    if isinstance(node, Object):
        for key, member in node.members.items():
            yield from _faults(given, member.value, (*path, key), templates)
    elif isinstance(node, Array):
        for item in node.items:
            yield from _faults(given, item, path, templates)
    elif isinstance(node, Scalar) and isinstance(node.value, str) and is_template(node.value):
        text, scalar = node.value, node
        where = Where(
            plain_lines(text),
            path,
            lambda start, end: within(given.document, scalar, original(text, start), original(text, end)),
            given.document.span(node),
        )
        for fault in templates.faults(text):
            yield fault.problem(where)
