"""The methods and attributes that values have in a template: those that change nothing and make nothing large. No I/O.

Each method is a function of the context, the value and the arguments, and asks for what it takes before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from jinja2.runtime import BlockReference, Context, LoopContext
from jinja2.utils import Cycler
from markupsafe import Markup

from pipeline.template.formats import braces
from pipeline.template.limits import MOST_WIDTH, Failed, Meter, PastLimit
from pipeline.template.operators import key
from pipeline.template.times import formatted
from pipeline.template.values import a_kind, weigh

Function = Callable[..., Any]


class Group(NamedTuple):
    """What `groupby` gives: the value that the items share, and the items."""

    grouper: Any
    list: list[Any]


def meter_of(context: Context) -> Meter:
    """What the rendering may still take."""
    meter: Meter = context.meter  # type: ignore[attr-defined]
    return meter


def _of_text(name: str) -> Function:
    """A method that takes one walk through the text and makes no longer one."""

    def run(context: Context, value: str, *args: Any, **named: Any) -> Any:
        for argument in (*args, *named.values()):
            weigh(argument, meter_of(context))
        meter_of(context).make(len(value))
        if "split" in name:
            # A short text is fifty bytes, so the pieces can take far more than the text.
            meter_of(context).step(len(value) // 8)
        return getattr(value, name)(*args, **named)

    return run


def _padded(name: str) -> Function:
    def run(context: Context, value: str, width: int, *fill: str) -> str:
        meter_of(context).make(max(len(value), width_of(width)))
        return getattr(value, name)(width, *fill)  # type: ignore[no-any-return]

    return run


def width_of(width: Any) -> int:
    """A width that a text for people can have."""
    if not isinstance(width, int):
        raise Failed(f"a width is a whole number, not {a_kind(width)}")
    if width > MOST_WIDTH:
        raise PastLimit(f"a width of more than {MOST_WIDTH} characters")
    return width


def _expandtabs(context: Context, value: str, tabsize: int = 8) -> str:
    meter_of(context).make(len(value) + value.count("\t") * max(width_of(tabsize), 0))
    return value.expandtabs(tabsize)


def replaced(context: Context, value: str, old: str, new: str, count: int = -1) -> str:
    """`value.replace(old, new)`, the length of the result being asked for first."""
    meter_of(context).work(len(value) + len(old) + len(new))
    found = value.count(old)
    places = found if count < 0 else min(count, found)
    meter_of(context).make(len(value) + places * max(len(new) - len(old), 0))
    return value.replace(old, new, count)


def _join(context: Context, value: str, items: Any) -> str:
    texts = list(meter_of(context).each(items, 1))
    if not all(isinstance(item, str) for item in texts):
        raise Failed("`.join()` joins texts only; the filter `join` takes anything")
    meter_of(context).make(sum(map(len, texts)) + len(value) * len(texts))
    return value.join(texts)


def _format(context: Context, value: str, *args: Any, **named: Any) -> str:
    return braces(value, args, named, context)


_ONE_WALK: Final = """
    capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric
    isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition
    rsplit rstrip split splitlines startswith strip swapcase title upper
"""
_TEXT: Final[Mapping[str, Function]] = {name: _of_text(name) for name in _ONE_WALK.split()} | {
    "center": _padded("center"),
    "ljust": _padded("ljust"),
    "rjust": _padded("rjust"),
    "zfill": _padded("zfill"),
    "expandtabs": _expandtabs,
    "replace": replaced,
    "join": _join,
    "format": _format,
}


def _get(context: Context, value: dict[Any, Any], name: Any, default: Any = None) -> Any:
    return value.get(key(meter_of(context), name), default)


def _search(name: str) -> Function:
    def run(context: Context, value: Any, wanted: Any) -> Any:
        weigh(value, meter_of(context))
        weigh(wanted, meter_of(context))
        return getattr(value, name)(wanted)

    return run


def _as_is(name: str) -> Function:
    def run(_: Context, value: Any, *args: Any, **named: Any) -> Any:
        return getattr(value, name)(*args, **named)

    return run


def _strftime(context: Context, value: date, pattern: str) -> str:
    meter_of(context).make(len(pattern))
    return formatted(value, pattern)


def _changed(context: Context, value: LoopContext, *args: Any) -> bool:
    weigh(args, meter_of(context))
    return value.changed(*args)


_LIST: Final = {"count": _search("count"), "index": _search("index")}
_DATE: Final = {name: _as_is(name) for name in ("isoformat", "weekday", "isoweekday")} | {"strftime": _strftime}
METHODS: Final[Mapping[type, Mapping[str, Function]]] = {
    str: _TEXT,
    Markup: _TEXT,
    dict: {"get": _get} | {name: _as_is(name) for name in ("items", "keys", "values")},
    list: _LIST,
    tuple: _LIST,
    datetime: _DATE | {name: _as_is(name) for name in ("date", "time", "timestamp")},
    date: _DATE,
    timedelta: {"total_seconds": _as_is("total_seconds")},
    LoopContext: {"cycle": _as_is("cycle"), "changed": _changed},
    Cycler: {"next": _as_is("next"), "reset": _as_is("reset")},
}
_DAY: Final = frozenset({"year", "month", "day"})
_CLOCK: Final = frozenset({"hour", "minute", "second", "microsecond"})
ATTRIBUTES: Final[Mapping[type, frozenset[str]]] = {
    datetime: _DAY | _CLOCK,
    date: _DAY,
    time: _CLOCK,
    timedelta: frozenset({"days", "seconds", "microseconds"}),
    LoopContext: frozenset({"first", "last", "length", "previtem", "nextitem", "depth", "depth0"})
    | frozenset({"index", "index0", "revindex", "revindex0"}),
    Cycler: frozenset({"current"}),
    BlockReference: frozenset({"super"}),
    Group: frozenset({"grouper", "list"}),
}
