"""XML as it comes in: portions of bytes become entities, or a fault with its place. No I/O.

The parser is expat, of which only elements, attributes and text are asked. A document type is refused at its first
character, and with it every entity that is declared, expanded or fetched. What is held in memory is one portion, and
the element that began in it and is not whole yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from pipeline.config.given import advice, note
from pipeline.config.near import near
from pipeline.entity import Entity
from pipeline.errors import Note, Problem, Span
from sources.keys import joined
from sources.parts import BATCH, MOST_BYTES, Batch, Fault, Place, too_large

MOST_DEPTH: Final = 64
# Of a line so many bytes are shown on each side of a fault.
_SHOWN: Final = 200


class Shape(NamedTuple):
    """Which elements are entities, and how. `element` is a name or, with a leading `/`, the way from the root.

    Without it the elements directly below the root are entities.
    """

    key: Sequence[str]
    element: str = ""
    text: str = "text"
    attribute_prefix: str = ""
    prefixes: bool = False
    keep_empty: bool = False


class _Element:
    """An element that is open: its attributes and children so far, and its text."""

    __slots__ = ("found", "name", "texts")

    def __init__(self, name: str, found: dict[str, Any]) -> None:
        self.name = name
        self.found = found
        self.texts: list[str] = []


class _StopError(Exception):
    """The text cannot be read further."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


def batches(portions: Iterable[bytes], name: str, shape: Shape) -> Iterator[Batch]:
    """The entities of a text of this name."""
    reading = _Reading(name, shape)
    for portion in portions:
        yield from reading.take(portion, last=False)
        if reading.stopped:
            return
    yield from reading.take(b"", last=True)


class _Reading:
    """One pass through a text."""

    def __init__(self, name: str, shape: Shape) -> None:
        self._name = name
        self._shape = shape
        self._path: list[str] = []  # of the elements that are open outside of an entity
        self._open: list[_Element] = []  # from the entity inwards
        self._begin = Place()  # of the entity
        self._ready: list[Batch] = []
        self._entities: list[Entity] = []
        self._fed = 0
        self._wide = False
        self._window = b""  # the portions of which faults show a line
        self.stopped = False
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._starts
        parser.EndElementHandler = self._ends
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse

    def take(self, portion: bytes, *, last: bool) -> Iterator[Batch]:
        """The entities that are whole with this portion."""
        # Of UTF-16 no line is shown.
        self._wide = self._wide or (not self._fed and b"\0" in portion[:4])
        self._window = self._window[-2 * _SHOWN :] + portion
        self._fed += len(portion)
        try:
            # Nothing at all is no document, and no fault either: it has no entities.
            if self._fed or not last:
                self._parser.Parse(portion, last)
            self._check_size()
        except expat.ExpatError as error:
            self._stop(self._fault("E220", _words(error), self._here()))
        except _StopError as error:
            self._stop(error.fault)
        yield from self._ready
        self._ready = []
        if self._entities:
            yield Batch(self._entities, self._here())
            self._entities = []

    def _check_size(self) -> None:
        """An entity, or a sign outside of one, that is not whole after so many bytes is too large."""
        begin = self._begin if self._open else self._here()
        if self._fed - begin.offset > MOST_BYTES:
            raise _StopError(too_large(self._name, begin))

    def _stop(self, fault: Fault) -> None:
        self._tell(fault._replace(resumes=False))
        self.stopped = True

    def _tell(self, fault: Fault) -> None:
        self._ready.append(Batch(self._entities, fault.place, fault))
        self._entities = []

    def _here(self) -> Place:
        parser = self._parser
        return Place(max(0, parser.CurrentByteIndex), parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def _fault(self, code: str, words: tuple[str, str], place: Place, notes: tuple[Note, ...] = ()) -> Fault:
        """What is wrong at a place, with the line there as far as it is at hand."""
        message, label = words
        at = place.offset - (self._fed - len(self._window))
        if self._wide or not 0 <= at <= len(self._window):
            return Fault(Problem(code, message, Span(self._name, 0, 0), label, notes=notes), "", place)
        start = max(self._window.rfind(b"\n", 0, at) + 1, at - _SHOWN)
        end = self._window.find(b"\n", at)
        end = min(len(self._window) if end < 0 else end, at + _SHOWN)
        before = self._window[start:at].decode(errors="replace")
        text = before + self._window[at:end].decode(errors="replace").rstrip("\r")
        span = Span(self._name, len(before), min(len(before) + 1, len(text)))
        column = max(1, place.column - len(before))
        return Fault(Problem(code, message, span, label, notes=notes), text, Place(place.offset, place.line, column))

    # What expat calls.

    def _refuse(self, *_: object) -> None:
        words = ("a document type is not read", "it can declare entities that expand without end")
        help_ = advice("remove it: elements, attributes and text are all that is needed")
        raise _StopError(self._fault("E220", words, self._here(), (help_,)))

    def _starts(self, name: str, attributes: dict[str, str]) -> None:
        shape = self._shape
        if not shape.prefixes:
            name = name.rpartition(":")[2]
        if not self._open:
            if not self._is_entity(name):
                self._path.append(name)
                self._check_depth()
                return
            self._begin = self._here()
        prefix = shape.attribute_prefix
        found: dict[str, Any] = {}
        for key, value in attributes.items():
            # Declarations of namespaces say nothing of the entity.
            if key != "xmlns" and not key.startswith("xmlns:") and (value or shape.keep_empty):
                found[prefix + (key if shape.prefixes else key.rpartition(":")[2])] = value
        self._open.append(_Element(name, found))
        self._check_depth()

    def _check_depth(self) -> None:
        if len(self._path) + len(self._open) > MOST_DEPTH:
            words = ("elements are nested too deep", f"the limit is {MOST_DEPTH} levels")
            raise _StopError(self._fault("E113", words, self._here()))

    def _is_entity(self, name: str) -> bool:
        element = self._shape.element
        if not element:
            return len(self._path) == 1
        return "/".join(["", *self._path, name]) == element if element.startswith("/") else name == element

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)

    def _ends(self, _: str) -> None:
        if not self._open:
            self._path.pop()
            return
        element = self._open.pop()
        text = "".join(element.texts).strip()
        if self._open:
            value: Any = element.found
            if not value:
                value = text
            elif text:
                _add(value, self._shape.text, text)
            if value or self._shape.keep_empty:
                _add(self._open[-1].found, element.name, value)
            return
        if text:
            _add(element.found, self._shape.text, text)
        self._finish(element)

    def _finish(self, element: _Element) -> None:
        """An entity is whole."""
        keys = [element.found.get(name) for name in self._shape.key]
        missing = [name for name, value in zip(self._shape.key, keys, strict=True) if not isinstance(value, str)]
        if missing or not all(keys):
            self._tell(self._nameless(element, (missing or self._shape.key)[0]))
            return
        id_ = joined([str(key) for key in keys])
        self._entities.append({"_id": id_, **{name: one for name, one in element.found.items() if name != "_id"}})
        if len(self._entities) == BATCH:
            self._ready.append(Batch(self._entities, self._here()))
            self._entities = []

    def _nameless(self, element: _Element, key: str) -> Fault:
        value = element.found.get(key)
        notes: tuple[Note, ...] = (note(f"`primary_key` names `{key}`; what it has: {_names(element.found)}"),)
        close = near(key, element.found) if value is None else []
        notes += (advice(f"did you mean `{close[0]}`?"),) if close else ()
        label = "it has none" if value is None else "it is not one text"
        return self._fault("E218", (f"this element has no `{key}` for its `_id`", label), self._begin, notes)


def _names(found: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in found) or "nothing"


def _add(found: dict[str, Any], name: str, value: object) -> None:
    """A value of a name that may be there already: then both are in a list."""
    if name not in found:
        found[name] = value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


def _words(error: expat.ExpatError) -> tuple[str, str]:
    """What expat says, in its own few words."""
    said = expat.ErrorString(error.code) or "not well-formed"
    return "this is not well-formed XML", said.partition(" (")[0]
