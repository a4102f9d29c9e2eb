"""What was written in one component, as far as it is right: values beside the places they stand. No I/O.

Checks across properties work on this rather than on the finished model, so that one bad property does not hide
the faults of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self

from pipeline.config.comments import is_comment
from pipeline.config.text import Offsets
from pipeline.config.tree import Document, Node, Object, Scalar, plain
from pipeline.errors import Edit, Label, Note, Problem, Span


class Unknown:
    """The value of a property that cannot be known here: its reference is unset, or its fault is reported."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Name the one instance."""
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class FromEnv(str):
    """Text that a `$ENV()` gave as a whole value: it is read as the type that the property needs."""

    __slots__ = ("variable",)
    variable: str

    def __new__(cls, text: str, variable: str) -> Self:
        """Keep the name beside the text."""
        self = super().__new__(cls, text)
        self.variable = variable
        return self


@dataclass(frozen=True, slots=True)
class Given:
    """The properties of one object: `values` holds those without a fault, `UNKNOWN` where nothing can be said."""

    document: Document
    node: Object
    values: Mapping[str, object]
    path: tuple[str, ...] = ()
    pipe: str = ""
    known: bool = True
    """False when a condition could not be evaluated, so that properties may be missing for that reason."""
    inner: Mapping[str, Sequence[Given]] = field(default_factory=dict)
    templates: Mapping[str, Document] = field(default_factory=dict)
    """The files in the project's `templates` folder, by the names that templates use."""
    modules: Mapping[str, Document] | None = None
    """The Python files of the project, by the names of their modules; None where there is no project to look into."""

    def parts(self, name: str) -> Sequence[Given]:
        """The plain objects in the value of a property: the one, or those of the list."""
        return self.inner.get(name, ())

    def get(self, name: str, default: object = None) -> object:
        """The value, `default` when it is not written or null, or UNKNOWN."""
        value = self.values.get(name)
        return default if value is None else value

    def text(self, name: str) -> str | None:
        """The value if it is a known string."""
        value = self.values.get(name)
        return str(value) if isinstance(value, str) else None

    def has(self, name: str) -> bool:
        """Whether the property is written and not null; an unknown value counts as written."""
        return self.values.get(name) is not None

    def written(self, name: str) -> bool:
        """Whether the property stands in the text, null or not."""
        return name in self.node.members

    def key(self, name: str) -> Span:
        """The place of the property's name; of one that is not written, the object's first character."""
        member = self.node.members.get(name)
        return self.document.span(member.key) if member else opening(self.document, self.node)

    def value(self, name: str) -> Span:
        """The place of the property's value; of one that is not written, the object's first character."""
        member = self.node.members.get(name)
        return self.document.span(member.value) if member else opening(self.document, self.node)

    def literal(self, name: str) -> bool:
        """Whether the value stands in the text as it is, so that offsets in it mean something."""
        member = self.node.members.get(name)
        return member is not None and isinstance(member.value, Scalar) and member.value.value == self.values.get(name)

    def inside(self, name: str, start: int, end: int) -> Span:
        """The characters `start` to `end` of a string value, where they stand in the file."""
        if not self.literal(name):
            return self.value(name)
        return within(self.document, self.node.members[name].value, start, end)

    def problem(
        self,
        code: str,
        message: str,
        name: str,
        *,
        at: Literal["key", "value"] | Span = "value",
        label: str = "",
        also: Iterable[Label] = (),
        related: Iterable[Label] = (),
        notes: Iterable[Note] = (),
        fix: Iterable[Edit] = (),
    ) -> Problem:
        """A problem at a property of this object; without such a property, at the object's first character."""
        places = {"key": self.key, "value": self.value}
        span = at if isinstance(at, Span) else places[at](name)
        path = (*self.path, name) if name in self.node.members else self.path
        return Problem(
            code,
            message,
            span,
            label,
            path,
            also=tuple(also),
            related=tuple(related),
            notes=tuple(notes),
            fix=tuple(fix),
        )

    def without(self, names: Iterable[str]) -> Given:
        """The same with these properties unknown."""
        return replace(self, values={**self.values, **dict.fromkeys(names, UNKNOWN)})


def opening(document: Document, node: Node) -> Span:
    """The first character of an object or list: where something missing is reported."""
    return Span(document.name, node.start, min(node.start + 1, node.end))


def within(document: Document, node: Node, start: int, end: int) -> Span:
    """The decoded characters `start` to `end` of a string node, where they stand in the file."""
    return Within(document, node).span(start, end)


class Within:
    """As `within`, for several places of one string in rising order: together they read it once."""

    __slots__ = ("_document", "_node", "_offsets")

    def __init__(self, document: Document, node: Node) -> None:
        """Take a node; of one that is no string every place is the whole."""
        text = isinstance(node, Scalar) and isinstance(node.value, str)
        self._document, self._node = document, node
        self._offsets = Offsets(document.text, node) if isinstance(node, Scalar) and text else None

    def span(self, start: int, end: int) -> Span:
        """The characters `start` to `end`."""
        if self._offsets is None:
            return self._document.span(self._node)
        first = self._offsets.at(start)
        return Span(self._document.name, first, max(first, self._offsets.at(end)))


def note(text: str) -> Note:
    """A fact."""
    return Note("note", text)


def advice(text: str) -> Note:
    """An action."""
    return Note("help", text)


def unmatched(given: Given) -> Iterable[Problem]:
    """E313 when `condition` names none of the `alternatives`."""
    condition = given.text("condition")
    member = given.node.members.get("alternatives")
    if condition is None or member is None or not isinstance(member.value, Object) or not member.value.whole:
        return
    if condition not in member.value.members:
        names = [name for name, other in member.value.members.items() if not is_comment(name, plain(other.value))]
        yield given.problem(
            "E313",
            f"`alternatives` has none for `{condition}`",
            "condition",
            notes=(note(f"alternatives: {', '.join(f'`{name}`' for name in names) or 'none'}"),),
        )
