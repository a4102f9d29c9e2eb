"""JSON as it comes in: portions of bytes become entities, or a fault with its place. No I/O.

Three forms are read: one object a line (`lines`), a list of objects (`list`), and objects one after the other over as
many lines as they need (`objects`; most often it is one). What is held in memory is one portion, and the entity that
began in it and is not whole yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec import DecodeError
from msgspec.json import Decoder

from pipeline.entity import Entity, typing
from sources.json_cut import BLANKS, MOST_DEPTH, CutError, Cutter, Form, is_open, too_deep
from sources.json_fault import broken, nested, no_entity
from sources.parts import BATCH, MOST_BYTES, Batch, Fault, Place, fault, too_large

_BOM: Final = b"\xef\xbb\xbf"
# Of a line so many bytes are shown on each side of a fault between two entities.
_SHOWN: Final = 200
_NEVER_CLOSED: Final = ("E106", "the list is never closed", "the text ends here")

_object = Decoder(dict)
_value = Decoder()
_typed = typing()
# A `~`, with which the text of a value begins that JSON lacks, may be written as `\u007e`.
_ESCAPED: Final = b"\\u007"
_texts: Final = frozenset({str})


class Opened(NamedTuple):
    """A text whose form is known, without a byte order mark; its first byte is at `start`."""

    form: Form
    start: Place
    portions: Iterable[bytes]


def opened(portions: Iterable[bytes], form: Form | None = None) -> Opened:
    """Find out the form, unless it is said. Takes as many portions as that needs: those of the first line."""
    rest = iter(portions)
    head = b""
    while (more := next(rest, None)) is not None:
        head += more
        known = len(head) >= len(_BOM) and (form or _form(head.removeprefix(_BOM)))
        if known or len(head) > MOST_BYTES:
            break
    marked = head.startswith(_BOM)
    found = form or _form(head.removeprefix(_BOM), whole=True) or "objects"
    start = Place(len(_BOM) if marked else 0)
    return Opened(found, start, chain([head[start.offset :]], rest))


def _form(head: bytes, *, whole: bool = False) -> Form | None:
    """The form of a text that begins so, or is that as a `whole`; None when more is needed to say."""
    text = head.lstrip(BLANKS)
    if not text:
        return "lines" if whole else None
    if text[:1] != b"{":
        return "list" if text[:1] == b"[" else "lines"
    end = text.find(b"\n")
    if end < 0 and not whole:
        return None
    line = text if end < 0 else text[:end]
    # A line that is one object, right or wrong, begins a text of lines.
    cutter = Cutter(listed=False, ended=True)
    cutter.add(line)
    try:
        return "lines" if sum(1 for _ in cutter.spans()) == 1 and not cutter.pending else "objects"
    except CutError:
        return "lines"


def batches(text: Opened, name: str, start: Place | None = None) -> Iterator[Batch]:
    """The entities of a text; of `lines` also from a later place on, where the portions begin."""
    if text.form == "lines":
        return _lines(text.portions, name, start or text.start)
    return _values(text.portions, name, text.start, listed=text.form == "list")


def _lines(portions: Iterable[bytes], name: str, place: Place) -> Iterator[Batch]:
    rest: list[bytes] = []
    size = 0
    passing = False
    for portion in portions:
        cut = portion.find(b"\n") + 1
        if not cut:
            size += len(portion)
            if passing:
                place = place.after(portion)
                yield Batch((), place)
                continue
            rest.append(portion)
            if size > MOST_BYTES:
                yield Batch((), place, too_large(name, place))
                place = place.after(b"".join(rest))
                rest, passing = [], True
            continue
        if passing:
            place = place.after(portion[:cut])
            portion = portion[cut:]  # noqa: PLW2901 - what is left of it
        cut = portion.rfind(b"\n") + 1
        for batch in _ended(b"".join((*rest, portion[:cut])), name, place):
            yield batch
            place = batch.end
        rest, size, passing = [portion[cut:]], len(portion) - cut, False
    last = b"".join(rest)
    if last.strip(BLANKS):
        entity = entity_of(last, name, place)
        if isinstance(entity, Fault):
            # Whoever writes it may be in the middle of it.
            yield Batch((), place, entity._replace(unfinished=is_open(last)))
        else:
            yield Batch((entity,), place.after(last))


def _ended(whole: bytes, name: str, place: Place) -> Iterator[Batch]:
    """The entities of lines that each have their end."""
    lines = whole.split(b"\n")
    lines.pop()
    for first in range(0, len(lines), BATCH):
        part = lines[first : first + BATCH]
        entities = _quick(part)
        if entities is None:
            for batch in _with_care(part, name, place):
                yield batch
                place = batch.end
        else:
            place = Place(place.offset + sum(map(len, part)) + len(part), place.line + len(part))
            yield Batch(entities, place)


def _quick(pieces: Sequence[bytes]) -> list[Entity] | None:
    """The entities, if each piece is one."""
    try:
        entities = list(map(_object.decode, pieces))
        ids = [entity["_id"] for entity in entities]
    except (DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        return None
    if not _texts.issuperset(map(type, ids)) or "" in ids or max(map(len, pieces), default=0) > MOST_BYTES:
        return None
    # Written out as a list, this is a third of what a generator and calls would cost.
    many = [piece for piece in pieces if piece.count(b"{") + piece.count(b"[") > MOST_DEPTH]
    if any(too_deep(piece) is not None for piece in many):
        return None
    together = b"".join(pieces)
    if b'"~' in together or _ESCAPED in together:
        return list(map(_typed, entities))
    return entities


def _with_care(lines: Sequence[bytes], name: str, place: Place) -> Iterator[Batch]:
    entities: list[Entity] = []
    for line in lines:
        entity = entity_of(line, name, place) if line.strip(BLANKS) else None
        if isinstance(entity, Fault):
            yield Batch(entities, place, entity)
            entities = []
        elif entity is not None:
            entities.append(entity)
        place = Place(place.offset + len(line) + 1, place.line + 1)
    yield Batch(entities, place)


def entity_of(data: bytes, name: str, place: Place) -> Entity | Fault:
    """The entity that a piece of text is, or why it is none."""
    value = _value_of(data, name, place)
    if isinstance(value, Fault):
        return value
    return no_entity(name, place, data, value) or _typed(value)


def object_of(data: bytes, name: str, place: Place) -> Entity | Fault:
    """The properties that a piece of text has, with or without an `_id`, or why it has none."""
    value = _value_of(data, name, place)
    if isinstance(value, Fault):
        return value
    return _typed(value) if isinstance(value, dict) else no_entity(name, place, data, value) or {}


def _value_of(data: bytes, name: str, place: Place) -> Any:  # noqa: ANN401 - whatever JSON has
    if len(data) > MOST_BYTES:
        return too_large(name, place)
    try:
        value = _value.decode(data)
    except (DecodeError, UnicodeDecodeError) as error:
        return broken(name, place, data, str(error))
    except RecursionError:
        value = None
    # Only now: counting the levels of what is no JSON could take long.
    deep = too_deep(data)
    return value if deep is None else nested(name, place, data, deep)


def _values(portions: Iterable[bytes], name: str, place: Place, *, listed: bool) -> Iterator[Batch]:
    cutter = Cutter(listed=listed)
    for portion in chain(portions, (None,)):
        cutter.ended = portion is None
        cutter.add(portion or b"")
        wrong: CutError | None = None
        spans: list[tuple[int, int]] = []
        try:
            spans.extend(cutter.spans())
        except CutError as error:
            wrong = error
        yield from _cut(cutter.data, spans, name, place)
        if wrong is not None:
            yield Batch((), place, _between(cutter.data, wrong, name, place))
            return
        place = place.after(cutter.take())
        if len(cutter.data) > MOST_BYTES:
            yield Batch((), place, too_large(name, place)._replace(resumes=False))
            return
    if not cutter.closed:
        data = cutter.data
        told = broken(name, place, data, "") if data else fault(name, place, b"", _NEVER_CLOSED)
        yield Batch((), place, told._replace(resumes=False))


def _cut(data: bytes, spans: Sequence[tuple[int, int]], name: str, place: Place) -> Iterator[Batch]:
    """The entities at these places of the data, which begins at `place`."""
    for first in range(0, len(spans), BATCH):
        part = spans[first : first + BATCH]
        pieces = [data[start:end] for start, end in part]
        entities = _quick(pieces)
        if entities is not None:
            yield Batch(entities, place)
            continue
        entities = []
        for (start, _), piece in zip(part, pieces, strict=True):
            entity = entity_of(piece, name, place)
            if isinstance(entity, Fault):
                # Only now, as to count the lines before each of them costs more than to read them.
                yield Batch(entities, place, entity._replace(place=place.after(data[:start])))
                entities = []
            else:
                entities.append(entity)
        yield Batch(entities, place)


def _between(data: bytes, wrong: CutError, name: str, place: Place) -> Fault:
    start = max(data.rfind(b"\n", 0, wrong.at) + 1, wrong.at - _SHOWN)
    words = (wrong.code, wrong.message, wrong.label)
    piece = data[start : wrong.at + _SHOWN].partition(
        b"\n",
    )[0]
    return fault(name, place.after(data[:start]), piece, words, wrong.at - start)._replace(resumes=False)
