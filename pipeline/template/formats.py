"""Texts with places for values: `"%5.2f"` and `"{:>8}"`, with widths for people and no way to anything else. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from string import Formatter
from typing import Any, Final

from jinja2.runtime import Context
from markupsafe import Markup

from pipeline.template.limits import MOST_BITS, MOST_WIDTH, Failed, PastLimit
from pipeline.template.times import formatted
from pipeline.template.values import a_kind, escape_text, html, plain, text

_PLACE: Final = re.compile(r"%(?:\((?P<name>[^()%]*)\))?(?P<how>[#0\- +]*\d*(?:\.\d*)?)[hlL]?(?P<kind>.?)", re.DOTALL)
_DIGITS: Final = re.compile(r"\d+")
_WHOLE: Final = "diouxX"
_BROKEN: Final = "eEfFgG"


def percent(pattern: str, values: Any, context: Context) -> str:
    """`pattern % values`; in a pattern that is HTML the values are escaped."""
    named = isinstance(values, dict)
    waiting = list(values) if isinstance(values, tuple) else [values]
    write = html if isinstance(pattern, Markup) else text
    context.meter.work(len(pattern))  # type: ignore[attr-defined]

    def one(place: re.Match[str]) -> str:
        kind = place["kind"]
        if kind == "%":
            return "%"
        if place["name"] is not None:
            if not named or place["name"] not in values:
                raise Failed(f"there is no value for `%({place['name']}){kind}`")
            value = values[place["name"]]
        elif not waiting:
            raise Failed("there are more places in this text than values for them")
        else:
            value = waiting.pop(0)
        _narrow(place["how"])
        if kind == "s":
            return f"%{place['how']}s" % (write(value, context),)
        if kind not in _WHOLE + _BROKEN or not kind:
            raise Failed(f"`{place[0]}` is no place for a value", "write `%s`, `%d`, `%.2f`, or `%%` for a percent")
        if not isinstance(value, int | float | Decimal):
            raise Failed(f"`{place[0]}` needs a number, not {a_kind(value)}")
        try:
            return f"%{place['how']}{kind}" % (sane(value),)
        except (TypeError, ValueError, OverflowError):
            raise Failed(f"this number does not fit `{place[0]}`") from None

    result = _PLACE.sub(one, str.__str__(pattern))
    context.meter.make(len(result))  # type: ignore[attr-defined]
    if waiting and not named:
        raise Failed("there are more values than places for them in this text")
    return Markup(result) if isinstance(pattern, Markup) else result  # noqa: S704 - the values are escaped


def braces(pattern: str, args: Sequence[Any], named: Mapping[str, Any], context: Context) -> str:
    """`pattern.format(…)`; in a pattern that is HTML the values are escaped."""
    context.meter.work(len(pattern))  # type: ignore[attr-defined]
    try:
        result = _Braces(context, escape=isinstance(pattern, Markup)).vformat(str.__str__(pattern), args, named)
    except (ValueError, LookupError):
        raise Failed("the places in this text and the values do not go together") from None
    context.meter.make(len(result))  # type: ignore[attr-defined]
    return Markup(result) if isinstance(pattern, Markup) else result  # noqa: S704 - the values are escaped


class _Braces(Formatter):
    """The standard library's, with the sandbox in the place of attributes and items."""

    def __init__(self, context: Context, *, escape: bool) -> None:
        self._context = context
        self._escape = escape

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        first, *parts = re.split(r"[.\[]", field_name)
        value = self.get_value(int(first) if first.isdigit() else first, args, kwargs)
        for part in parts:
            name = part.removesuffix("]")
            value = self._context.environment.getitem(value, int(name) if name.isdigit() else name)
        return value, first

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        if conversion not in {None, "s"}:
            raise Failed(f"`!{conversion}` is for programmers, not for mail")
        return value if conversion is None else plain(value, self._context)

    def format_field(self, value: Any, format_spec: str) -> str:
        _narrow(format_spec)
        self._context.meter.work(len(format_spec))  # type: ignore[attr-defined]
        if isinstance(value, date):
            found = formatted(value, format_spec) if format_spec else plain(value, self._context)
        elif isinstance(value, int | float | Decimal):
            found = format(sane(value), format_spec)
        else:
            found = format(str.__str__(plain(value, self._context)), format_spec)
        return escape_text(found) if self._escape and not isinstance(value, Markup) else found


def sane(number: float | Decimal) -> float | Decimal:
    """A number whose digits can be written: `1E+999999999` is six bytes in an entity and a gigabyte as digits."""
    long = isinstance(number, int) and number.bit_length() > MOST_BITS
    if long or (isinstance(number, Decimal) and number.is_finite() and abs(number.adjusted()) > MOST_WIDTH):
        raise PastLimit(f"a number of more than {MOST_WIDTH} digits")
    return number


def _narrow(how: str) -> None:
    if any(len(digits) > 4 or int(digits) > MOST_WIDTH for digits in _DIGITS.findall(how)):
        raise PastLimit(f"a width of more than {MOST_WIDTH} characters")
