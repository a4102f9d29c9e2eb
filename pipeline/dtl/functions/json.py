"""Functions that write and read JSON. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from pipeline.dtl.casts import cast
from pipeline.dtl.registry import DROP, Subject, shows
from pipeline.dtl.texts import as_json
from pipeline.dtl.values import ANYTHING
from pipeline.entity import transit, typed

of_json: Final = Subject(
    "json",
    "JSON",
    "Values as text and back. What JSON has no form for is written as its text alone by `json`, and with a tag before "
    "it by `json-transit`: only the latter can be read back as it was.",
)

_EVERYTHING: Final = ANYTHING | {type(None)}


@of_json.each(
    "json",
    "VALUES",
    _EVERYTHING,
    "Each value as JSON, with the names of dicts in order. Null is a value here.",
    shows(["json", "_S.order"], '{"id": 7, "lines": ["a"]}', {"order": {"lines": ["a"], "id": 7}}),
    shows(
        ["json", ["list", "a", 1.5, "~rhttps://example.com/", None]], ['"a"', "1.5", '"https://example.com/"', "null"]
    ),
    shows(["json", None], "null"),
)
def _json(value: Any) -> str:
    return as_json(value)


@of_json.each(
    "json-transit",
    "VALUES",
    _EVERYTHING,
    "As `json`, with the tags by which `json-transit-parse` tells the types of values.",
    shows(["json-transit", "_S.order"], '{"at": "~t2026-01-02", "id": 7}', {"order": {"id": 7, "at": "~t2026-01-02"}}),
    shows(["json-transit", ["list", "a", "~f1.50"]], ['"a"', '"~f1.50"']),
    shows(["json-transit", None], "null"),
)
def _json_transit(value: Any) -> str:
    return as_json(transit(value))


@cast(
    of_json,
    "json-parse",
    "The value that each string of JSON stands for.",
    shows(["json-parse", "_S.text"], {"id": 7}, {"text": '{"id": 7}'}),
    shows(["json-parse", ["list", "[1]", "null", "{", 5]], [[1], None]),
    shows(["json-parse", "_.", ["list", "1", "1,5"]], [1, "1,5"]),
    shows(["is-uri", ["json-parse", '"~rhttps://example.com/"']], False),
    shows(["json-parse", None], None),
)
def _json_parse(value: Any) -> Any:
    return _parsed(value)


@cast(
    of_json,
    "json-transit-parse",
    "As `json-parse`, and strings with a tag become values of their type.",
    shows(["json-transit-parse", "_S.text"], {"at": "~t2026-01-02"}, {"text": '{"at": "~t2026-01-02"}'}),
    shows(["json-transit-parse", ["list", '"~f1.5"', "~f1.5"]], ["~f1.5"]),
    shows(["is-uri", ["json-transit-parse", '"~rhttps://example.com/"']], True),
    shows(["json-transit-parse", None], None),
)
def _json_transit_parse(value: Any) -> Any:
    found = _parsed(value)
    return found if found is DROP else typed(found)


@cache
def _decoder() -> tuple[Callable[[str], Any], type[Exception]]:
    from msgspec import DecodeError  # noqa: PLC0415 - a check of a configuration needs none
    from msgspec.json import Decoder  # noqa: PLC0415 - as above

    return Decoder().decode, DecodeError


def _parsed(value: Any) -> Any:
    if type(value) is not str:
        return DROP
    decode, no_json = _decoder()
    try:
        return decode(value)
    except (no_json, UnicodeEncodeError):
        return DROP
