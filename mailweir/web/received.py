"""Entities as they are handed in: JSON, one object or a list of them, all of it right or nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from msgspec import DecodeError
from msgspec.json import Decoder

from mailweir.web.route import RefusedError
from pipeline.entity import Entity
from pipeline.errors import SourceError
from pipeline.state.datasets import Entry
from pipeline.state.versions import entries_of, entry_of
from sources.input_file import without_faults
from sources.json_text import batches, opened

# A whole number of more digits than this was written with an exponent by nobody who meant its digits.
_MOST_DIGITS: Final = 40


def entities_of(body: bytes, *, decimals: bool, whole: bool) -> list[Entity]:
    """The entities of a request; `RefusedError` with the place of what is wrong."""
    try:
        value = _decoder(decimals, whole)(body)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    found = [value] if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(map(_is_entity, found)):
        raise RefusedError(400, _fault(body))
    return found


def entries(entities: Sequence[Entity]) -> list[Entry]:
    """As they are kept; `RefusedError` if one cannot be."""
    quick = entries_of(entities, None)
    if quick is not None:
        return list(quick[0])
    made = []
    for place, entity in enumerate(entities, 1):
        one = entry_of(entity)
        if isinstance(one, str):
            raise RefusedError(400, f"entity {place}: {one}")
        made.append(one[0])
    return made


def _is_entity(value: object) -> bool:
    return type(value) is dict and type(value.get("_id")) is str and value["_id"] != ""


def _fault(body: bytes) -> str:
    """What is wrong, at its line and column."""
    form: Any = "list" if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else "objects"
    many = 0
    try:
        for batch in without_faults(batches(opened([body], form), "body"), "stop"):
            many += len(batch.entities)
    except SourceError as error:
        return str(error)
    return "a request is one entity, or a list of entities" if many != 1 else "this is not JSON"


@cache
def _decoder(decimals: bool, whole: bool) -> Callable[[bytes], Any]:
    """Numbers with a fraction become the text of a decimal, as entities are kept; the digits stay as they are."""

    def number(text: str) -> Any:  # noqa: ANN401 - one of three types
        if whole and (found := _whole(text)) is not None:
            return found
        return f"~f{text}" if decimals else float(text)

    return Decoder(float_hook=number).decode


def _whole(text: str) -> int | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return int(value) if value.adjusted() < _MOST_DIGITS and value == value.to_integral_value() else None
