"""The answers of a SPARQL service as entities: terms become values, rows of one `_id` one entity. No I/O.

SPARQL 1.1 Query Results JSON Format (W3C, 2013). The rows are read as they come, and never held as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pipeline.entity import URI, Date, Entity, datetime_of, decimal_of, from_json
from pipeline.state.values import value_key
from sources.json_cut import CutError, Cutter

_SCHEMA: Final = "http://www.w3.org/2001/XMLSchema#"
_begin: Final = re.compile(rb'"bindings"\s*:\s*(?=\[)')
# The head comes first; behind so much that has no rows nothing will.
_LONGEST_HEAD: Final = 1_000_000
_whole: Final = re.compile(r"[+-]?[0-9]{1,4300}", re.ASCII)
_offset: Final = re.compile(r"[+-]00:00\Z")
_WHOLE: Final = frozenset(
    f"{_SCHEMA}{name}"
    for name in (
        *("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "negativeInteger"),
        *("nonPositiveInteger", "unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"),
    )
)


class RowError(Exception):
    """An answer that is no result of a query; the text says why."""


def rows(portions: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of an answer, each with its terms by variable; `RowError` where it is none."""
    stream = iter(portions)
    cutter = Cutter(listed=True)
    cutter.add(_from_rows(stream))
    while True:
        try:
            for start, end in cutter.spans():
                yield _row(cutter.data[start:end])
        except CutError as error:
            if not cutter.closed:
                raise RowError(f"the rows are broken: {error.message}") from None
            return
        cutter.take()
        portion = next(stream, None)
        if portion is None:
            break
        cutter.add(portion)
    raise RowError("the answer ends in the middle")


def _from_rows(stream: Iterator[bytes]) -> bytes:
    """The text from the beginning of the rows on, as much of it as there is so far."""
    data = b""
    for portion in stream:
        data += portion
        if found := _begin.search(data):
            return data[found.end() :]
        if len(data) > _LONGEST_HEAD:
            break
    said = "it has no rows" if data.lstrip()[:1] == b"{" else "it is no JSON"
    raise RowError(f"this is no result of a SELECT: {said}")


def _row(data: bytes) -> dict[str, Any]:
    try:
        row = from_json(data)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not all(isinstance(term, dict) and "value" in term for term in row.values()):
        raise RowError("a row is no object of terms")
    return row


def value_of(term: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value of an entity
    """The value that a term stands for; what does not have the form of its type is text."""
    text = str(term["value"])
    kind = term.get("type")
    if kind == "uri":
        return URI(text)
    if kind == "bnode":
        return f"_:{text}"
    match term.get("datatype"):
        case name if name in _WHOLE:
            return int(text) if _whole.fullmatch(text) else text
        case name if name == f"{_SCHEMA}boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
        case name if name == f"{_SCHEMA}decimal":
            return _or(decimal_of(text), text)
        case name if name in {f"{_SCHEMA}double", f"{_SCHEMA}float"}:
            return _real(text)
        case name if name in {f"{_SCHEMA}dateTime", f"{_SCHEMA}date"}:
            return _moment(text)
    return text


def _or(value: Any, text: str) -> Any:  # noqa: ANN401 - as above
    return text if value is None else value


def _real(text: str) -> float | str:
    try:
        found = float(text)
    except ValueError:
        return text
    # JSON has no others.
    return found if abs(found) < float("inf") else text


def _moment(text: str) -> Any:  # noqa: ANN401 - as above
    found = datetime_of(_offset.sub("Z", text))
    return _or(found if found is None or "T" in text or isinstance(found, Date) else Date(found.ns), text)


def entities(found: Iterable[Mapping[str, Any]], key: str) -> Iterator[Entity]:
    """Rows that follow each other with the same `key` become one entity: different values of a variable are a list."""
    made: Entity | None = None
    for row in found:
        if key not in row or not str(row[key]["value"]):
            raise RowError(f"a row has no `?{key}`")
        id_ = str(row[key]["value"])
        if made is None or made["_id"] != id_:
            if made is not None:
                yield made
            made = {"_id": id_}
        for name, term in row.items():
            if name != key:
                _add(made, name, value_of(term))
    if made is not None:
        yield made


def _add(made: Entity, name: str, value: object) -> None:
    if name not in made:
        made[name] = value
        return
    held = made[name] if isinstance(made[name], list) else [made[name]]
    if value_key(value) not in map(value_key, held):
        made[name] = [*held, value]
