"""Entities: JSON objects with an `_id`; the values that JSON lacks, and the text that stands for them in JSON. No I/O.

A string that begins with `~` and a tag is one of these in JSON: `~:` an identifier in a namespace, `~r` an address,
`~t` a date or a time, `~u` a UUID, `~b` bytes in base64, `~f` a decimal number. What follows must be right; else, and
with any other tag, the string is a string. A string that only looks like one of them has no other form: it comes back
as the value that it looks like.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, Self
from uuid import UUID

Entity = dict[str, Any]
"""A JSON object; properties whose names begin with `_` belong to the engine (`_id`, `_deleted`, …)."""


def is_reserved(name: str) -> bool:
    """Whether a property belongs to the engine rather than to the data."""
    return name.startswith("_")


class _Text:
    """A string of a type of its own: equal to none of another type. Never changed once it is made."""

    __slots__ = ("text",)
    tag = ""

    def __init__(self, text: str) -> None:
        """Keep the text, without its tag."""
        self.text = text

    def __eq__(self, other: object) -> bool:
        """Only the same type, with the same text."""
        return isinstance(other, _Text) and type(other) is type(self) and other.text == self.text

    def __lt__(self, other: Self) -> bool:
        """By characters."""
        return self.text < other.text

    def __hash__(self) -> int:
        """As the text under its tag."""
        return hash((self.tag, self.text))

    def __str__(self) -> str:
        """The text, for people."""
        return self.text

    def __repr__(self) -> str:
        """Type and text."""
        return f"{type(self).__name__}({self.text!r})"


class NI(_Text):
    """An identifier in a namespace, `crm:42`."""

    __slots__ = ()
    tag = "~:"


class URI(_Text):
    """An address, `https://example.com/`."""

    __slots__ = ()
    tag = "~r"


SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
_EPOCH: Final = date(1970, 1, 1).toordinal()
# The years 1 to 9999, as everywhere in the language.
EARLIEST: Final = (1 - _EPOCH) * DAY
LATEST: Final = (date.max.toordinal() + 1 - _EPOCH) * DAY - 1


class Datetime:
    """A point of time in UTC: nanoseconds since 1970, in the years 1 to 9999. Never changed once it is made."""

    __slots__ = ("ns",)

    def __init__(self, ns: int) -> None:
        """Keep the number; ValueError outside of the years 1 to 9999."""
        if not EARLIEST <= ns <= LATEST:
            raise ValueError("a time lies in the years 1 to 9999")
        self.ns = ns

    @classmethod
    def of(cls, moment: datetime) -> Datetime:
        """The same point of time; one without a zone is in UTC."""
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        seconds = (aware.hour * 60 + aware.minute) * 60 + aware.second
        return cls((aware.toordinal() - _EPOCH) * DAY + seconds * SECOND + aware.microsecond * 1000)

    @property
    def moment(self) -> datetime:
        """The same point of time for the standard library, which knows no less than microseconds."""
        days, rest = divmod(self.ns, DAY)
        seconds, part = divmod(rest, SECOND)
        minutes, second = divmod(seconds, 60)
        day = date.fromordinal(days + _EPOCH)
        return datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, second, part // 1000, tzinfo=UTC)

    def __eq__(self, other: object) -> bool:
        """A date is the first moment of its day."""
        return isinstance(other, Datetime) and other.ns == self.ns

    def __lt__(self, other: Self) -> bool:
        """Earlier."""
        return self.ns < other.ns

    def __hash__(self) -> int:
        """As it is equal."""
        return hash(("~t", self.ns))

    def __str__(self) -> str:
        """As in ISO 8601, with the digits of the fraction that are needed."""
        moment, part = self.moment, self.ns % SECOND
        fraction = f".{part:09}".rstrip("0") if part else ""
        return f"{moment.year:04}{moment:-%m-%dT%H:%M:%S}{fraction}Z"

    def __repr__(self) -> str:
        """Type and text."""
        return f"{type(self).__name__}({str(self)!r})"


class Date(Datetime):
    """A day, as the first moment of it in UTC."""

    __slots__ = ()

    def __str__(self) -> str:
        """As in ISO 8601."""
        return date.fromordinal(self.ns // DAY + _EPOCH).isoformat()


_time: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z)?", re.ASCII
)
_decimal: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)
_uuid: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def datetime_of(text: str) -> Datetime | None:
    """A time as `2015-07-28T09:46:00.12345Z`, in UTC, or a day as `2015-07-28`; None for any other text."""
    found = _time.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = found.groups()
    try:
        ordinal = date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError:
        return None
    if hour is None:
        return Date(ordinal * DAY)
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    part = int(fraction.ljust(9, "0")) if fraction else 0
    return Datetime(ordinal * DAY + ((hours * 60 + minutes) * 60 + seconds) * SECOND + part)


def decimal_of(text: str) -> Decimal | None:
    """A number in decimal notation, exactly; None for any other text."""
    return Decimal(text) if _decimal.fullmatch(text) else None


def uuid_of(text: str) -> UUID | None:
    """A UUID as 32 hexadecimal digits with four hyphens; None for any other text."""
    return UUID(text) if _uuid.fullmatch(text) else None


def bytes_of(text: str) -> bytes | None:
    """The bytes that a text in base64 stands for; None for any other text."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    ":": NI,
    "r": URI,
    "t": datetime_of,
    "u": uuid_of,
    "b": bytes_of,
    "f": decimal_of,
}
_WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    NI: lambda value: "~:" + value.text,
    URI: lambda value: "~r" + value.text,
    Datetime: lambda value: f"~t{value}",
    Date: lambda value: f"~t{value}",
    UUID: lambda value: f"~u{value}",
    bytes: lambda value: "~b" + b64encode(value).decode(),
    Decimal: lambda value: f"~f{value}",
}
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def value_of(text: str) -> object:
    """The value that a string of JSON stands for; most stand for themselves."""
    if text[:1] != "~":
        return text
    reader = _READERS.get(text[1:2])
    found = None if reader is None else reader(text[2:])
    return text if found is None else found


def text_of(value: object) -> str | None:
    """The string that stands for a value in JSON; None for what JSON has a form for."""
    writer = _WRITERS.get(type(value))
    return None if writer is None else writer(value)


def typed(value: Any) -> Any:
    """The same with the values that its strings stand for, at every depth; itself, where there are none."""
    if type(value) is dict:
        return _typed_properties(value)
    if type(value) is list:
        return _typed_items(value)
    return value_of(value) if type(value) is str else value


def typing() -> Callable[[Entity], Entity]:
    """As `typed`, for many entities. `_id` is a name, and stays one though it looks like something else."""
    from msgspec.json import Encoder  # noqa: PLC0415 - for those who read data, and not for a check

    # What it has no form for is a value of another type already.
    encode = Encoder(enc_hook=lambda _: None).encode

    def typed_entity(entity: Entity) -> Entity:
        try:
            # Quicker than a look at each value: most entities have no such string.
            if b'"~' not in encode(entity):
                return entity
        except (TypeError, ValueError, OverflowError, RecursionError):
            pass
        made = _typed_properties(entity)
        if made is not entity and type(entity.get("_id")) is str:
            made["_id"] = entity["_id"]
        return made

    return typed_entity


def _typed_properties(found: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] | None = None
    for name, value in found.items():
        kind = type(value)
        if kind is str:
            if value[:1] != "~":
                continue
            other = value_of(value)
        elif kind is dict:
            other = _typed_properties(value)
        elif kind is list:
            other = _typed_items(value)
        else:
            continue
        if other is not value:
            if made is None:
                made = dict(found)
            made[name] = other
    return found if made is None else made


def _typed_items(found: list[Any]) -> list[Any]:
    made: list[Any] | None = None
    for place, value in enumerate(found):
        other = typed(value)
        if other is not value:
            if made is None:
                made = list(found)
            made[place] = other
    return found if made is None else made


def transit(value: Any) -> Any:
    """The same as JSON can hold it, with strings for the values that JSON lacks; itself, where there are none."""
    if type(value) is dict:
        if _SCALARS.issuperset(map(type, value.values())):
            return value
        written = {name: transit(inner) for name, inner in value.items()}
        same = all(map(_is, written.values(), value.values()))
        return value if same else written
    if type(value) is list:
        if _SCALARS.issuperset(map(type, value)):
            return value
        items = [transit(item) for item in value]
        return value if all(map(_is, items, value)) else items
    writer = _WRITERS.get(type(value))
    return value if writer is None else writer(value)


def _is(one: object, other: object) -> bool:
    return one is other


@cache
def _coders() -> tuple[Callable[[bytes], Any], Callable[[Any], bytes], Callable[[Any], bytes]]:
    """What decodes, what encodes, and what encodes in order: loaded by those who read data, and not by a check."""
    from msgspec.json import Decoder, Encoder  # noqa: PLC0415 - as above

    return Decoder().decode, Encoder().encode, Encoder(order="sorted").encode


_slowly: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_slowly_in_order: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, sort_keys=True).encode


def from_json(text: bytes) -> Any:
    """The value that JSON stands for; msgspec.DecodeError for what is no JSON."""
    try:
        value = _coders()[0](text)
    except ValueError:
        value = _half(text)
    # Strings with a tag are rare, and seen quickest before there are any objects. A `~` may be written as an escape.
    return typed(value) if b'"~' in text or b"\\u007" in text else value


def _half(text: bytes) -> Any:
    """What quick decoders refuse: `to_json` writes half a character as an escape."""
    if b"\\ud" in text.lower():
        with suppress(ValueError, RecursionError):
            return json.loads(text, parse_constant=_refused)
    return _coders()[0](text)


def _refused(name: str) -> None:
    raise ValueError(name)


def to_json(value: object, *, ordered: bool = False) -> bytes:
    """JSON that `from_json` reads back as the same value; with `ordered`, names in order: equal values, equal text."""
    plain = transit(value)
    try:
        return _coders()[2 if ordered else 1](plain)
    except UnicodeEncodeError:  # half a character
        return (_slowly_in_order(plain) if ordered else _slowly(plain)).encode()
