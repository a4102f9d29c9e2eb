"""Values on their way into a text: how each type is written, and what stands where there is none. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, KeysView, Mapping, ValuesView
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import markupsafe
from jinja2 import Undefined
from jinja2.runtime import Context
from jinja2.utils import missing
from markupsafe import Markup

from pipeline.entity import NI, URI, Date, Datetime
from pipeline.template.limits import CHARACTERS_A_STEP, Failed, Meter, Refused

Unhandled = Literal["strict", "empty_string", "debug"]

# Longer texts are counted before they are copied; shorter ones are counted with the piece they end up in.
LONG: Final = 4096

# The C function that `markupsafe.escape` calls, without the `Markup` around its result, which costs ten times as much.
escape_text: Final[Callable[[str], str]] = getattr(
    markupsafe, "_escape_inner", lambda text: str.__str__(markupsafe.escape(text))
)


class Missing(Refused):
    """A variable, or a part of one, that is needed and not there."""

    code = "E408"

    def __init__(self, absent: object) -> None:
        """Keep what is known of it; null and variables without a value know nothing."""
        super().__init__("a value is missing")
        self.absent = absent if isinstance(absent, Absent) else None


class Absent(Undefined):
    """What a name stands for that has no value. Nothing can be worked out with it."""

    __slots__ = ()

    @property
    def name(self) -> str | None:
        """What was asked for."""
        return self._undefined_name

    @property
    def owner(self) -> Any:
        """The value that lacks it; `missing` when it is a variable."""
        return self._undefined_obj

    @property
    def hint(self) -> str | None:
        """Other words, where the name is not the point."""
        return self._undefined_hint

    def refuse(self, *_: object, **__: object) -> Any:
        """End the rendering."""
        raise Missing(self)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = refuse
    __call__ = __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = refuse
    _fail_with_undefined_error = refuse


class Strict(Absent):
    """`strict`: not even shown, compared, looped over or tested, only asked whether it is defined."""

    __slots__ = ()
    __str__ = __iter__ = __len__ = __bool__ = __eq__ = __ne__ = __contains__ = __hash__ = Absent.refuse


class Blank(Absent):
    """`empty_string`: shown as nothing."""

    __slots__ = ()


class Raw(Absent):
    """`debug`: shown as it stands in the template."""

    __slots__ = ()

    def __str__(self) -> str:
        """What a person would have written to get it."""
        return f"{{{{ {self.name} }}}}"


absent_values: Final[Mapping[Unhandled, type[Absent]]] = {"strict": Strict, "empty_string": Blank, "debug": Raw}


def _digits(value: float) -> str:
    try:
        return str(value)
    except ValueError:
        # Python writes no integers of more than 4,300 digits.
        raise Failed("this number is too long to be shown") from None


def _decimal(value: Decimal) -> str:
    # `1E+3` is no number for people, but 1E+999999999 written out would take a gigabyte.
    return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < 100 else str(value)


def _moment(value: datetime) -> str:
    return re.sub(r"\+00:00$", "Z", value.isoformat())


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("these bytes are no text", "`| base64_encode` shows any bytes") from None


WRITERS: Final[Mapping[type, Callable[[Any], str]]] = {
    bool: _digits,
    int: _digits,
    float: _digits,
    Decimal: _decimal,
    datetime: _moment,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: str,
    UUID: str,
    bytes: _bytes,
    NI: str,
    URI: str,
    Datetime: str,
    Date: str,
}
"""How the values that entities have are written; text is text, and lists and objects are as Python writes them."""

# No letter of these is escaped in HTML.
_QUICK: Final = frozenset({bool, int, float})
_LISTS: Final = (list, tuple, set, frozenset)


def plain(value: Any, context: Context, raw: str = "") -> str:
    """The text of a value, not escaped; `Markup` stays what it is. `raw` is how the template wrote it."""
    kind = type(value)
    if kind is str or kind is Markup:
        return value  # type: ignore[no-any-return]
    if value is None or value is missing or isinstance(value, Undefined):
        return _hole(value, context, raw)
    meter: Meter = context.meter  # type: ignore[attr-defined]
    write = WRITERS.get(kind) or next((WRITERS[base] for base in kind.__mro__ if base in WRITERS), None)
    if write is not None:
        return write(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (*_LISTS, dict)):
        meter.make(weigh(value, meter, shown=True))
        return str(value)
    raise Failed(f"{a_kind(value)} cannot be shown")


def _hole(value: Any, context: Context, raw: str) -> str:
    if isinstance(value, Undefined) and not isinstance(value, Strict):
        return raw if raw and isinstance(value, Raw) else str(value)
    absent: type[Absent] = context.environment.undefined  # type: ignore[assignment]
    if absent is Strict:
        raise Missing(value)
    return raw if absent is Raw else ""


def text(value: Any, context: Context, raw: str = "") -> str:
    """What a text part shows for a value."""
    if type(value) in _QUICK:
        return _digits(value)
    found = plain(value, context, raw)
    if len(found) >= LONG:
        context.meter.make(len(found))  # type: ignore[attr-defined]
    return found if type(found) is str else str.__str__(found)


def html(value: Any, context: Context, raw: str = "") -> str:
    """What an HTML part shows for a value: escaped, unless it is marked as HTML."""
    if type(value) in _QUICK:
        return _digits(value)
    found = plain(value, context, raw)
    if len(found) >= LONG:
        context.meter.make(len(found))  # type: ignore[attr-defined]
    return escape_text(found) if type(found) is str else str.__str__(found)


def weigh(value: Any, meter: Meter, *, shown: bool = False) -> int:
    """About how many characters a value has, everything in it counted as often as it is met; takes the steps for it.

    What is compared, sorted or shown is weighed first: a few steps make a list that holds itself a million times over.
    `shown` refuses what has no text.
    """
    total = 0
    waiting = [value]
    while waiting:
        top = waiting.pop()
        kind = type(top)
        if isinstance(top, str | bytes):
            total += len(top) + 4
            meter.step(1 + len(top) // CHARACTERS_A_STEP)
        elif kind is int:
            meter.step(1 + top.bit_length() // 1024)
            total += 4 + top.bit_length() // 3
        elif isinstance(top, (*_LISTS, KeysView, ValuesView, ItemsView)):
            meter.step(1 + len(top))
            total += 2
            waiting.extend(top)
        elif isinstance(top, dict):
            meter.step(1 + 2 * len(top))
            total += 2
            waiting.extend(top)
            waiting.extend(top.values())
        else:
            meter.step(1)
            total += 30
            if shown and top is not None and not any(base in WRITERS for base in kind.__mro__):
                raise Failed(f"{a_kind(top)} cannot be shown")
    return total


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (Decimal, "a number"),
    (str, "text"),
    (bytes, "bytes"),
    (_LISTS, "a list"),
    (dict, "an object"),
    (datetime, "a time"),
    (date, "a date"),
    (Date, "a date"),
    (Datetime, "a time"),
    ((NI, URI, UUID), "an identifier"),
)


def a_kind(value: object) -> str:
    """The kind of a value, as a person says it."""
    if value is None:
        return "null"
    return next((words for kinds, words in _KINDS if isinstance(value, kinds)), "a helper of the template")
