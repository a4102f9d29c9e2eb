"""The filters and tests that templates have. No I/O.

Those of Jinja2 by their names, and more for mail; docs/templates.md is their manual. What is not in these tables does
not exist, so a filter of a later Jinja2 is looked at before it gets in.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from pipeline.template import filters_lists as lists
from pipeline.template import filters_numbers as numbers
from pipeline.template import filters_text as texts
from pipeline.template import filters_values as values
from pipeline.template.limits import Failed
from pipeline.template.methods import meter_of
from pipeline.template.operators import calculate, compare, contains
from pipeline.template.values import a_kind, plain

Function = Callable[..., Any]

_FILTERS: Final[Mapping[str, Function]] = {
    "abs": numbers.absolute,
    "base64_decode": values.base64_decode,
    "base64_encode": values.base64_encode,
    "batch": lists.batch,
    "bytes": values.bytes_,
    "capitalize": texts.capitalize,
    "center": texts.center,
    "count": lists.length,
    "d": values.default,
    "datetime": values.datetime_,
    "datetime_format": values.datetime_format,
    "decode_jwt": values.decode_jwt,
    "default": values.default,
    "dictsort": lists.dictsort,
    "e": texts.escape,
    "escape": texts.escape,
    "filesizeformat": numbers.filesizeformat,
    "first": lists.first,
    "float": numbers.floating,
    "forceescape": texts.forceescape,
    "format": texts.format_,
    "groupby": lists.groupby,
    "indent": texts.indent,
    "int": numbers.integer,
    "items": lists.pairs,
    "join": texts.join,
    "json": values.json,
    "last": lists.last,
    "length": lists.length,
    "list": lists.items,
    "lower": texts.lower,
    "map": lists.map_,
    "markdown": texts.markdown,
    "max": lists.most,
    "min": lists.least,
    "money": numbers.money,
    "nl2br": texts.nl2br,
    "number": numbers.number,
    "plural": numbers.plural,
    "reject": lists.reject,
    "rejectattr": lists.rejectattr,
    "replace": texts.replace,
    "reverse": lists.reverse,
    "round": numbers.rounded,
    "safe": texts.safe,
    "select": lists.select,
    "selectattr": lists.selectattr,
    "slice": lists.slices,
    "sort": lists.sort,
    "string": texts.string,
    "striptags": texts.striptags,
    "sum": lists.total,
    "title": texts.title,
    "tojson": values.json,
    "trim": texts.trim,
    "truncate": texts.truncate,
    "unique": lists.unique,
    "upper": texts.upper,
    "urlencode": texts.urlencode,
    "wordcount": texts.wordcount,
    "wordwrap": texts.wordwrap,
}
FILTERS: Final[Mapping[str, Function]] = {name: pass_context(function) for name, function in _FILTERS.items()}

REFUSED: Final[Mapping[str, str]] = {
    "attr": "it reaches what the dot does not; write `value.name` or `value['name']`",
    "pprint": "it is for programmers; `json` shows a value",
    "random": "a mail that is composed again must be the same",
    "urlize": "write the link, or use `markdown`",
    "xmlattr": "write the attributes out",
}
"""Filters that Jinja2 has and templates here have not, and why."""


def _compare(name: str) -> Function:
    def test(context: Context, value: Any, other: Any) -> bool:
        return compare(context, value, name, other)

    return test


def _number(context: Context, sign: str, value: Any, other: int) -> Any:
    return calculate(context, sign, value, other)


def _sequence(value: Any) -> bool:
    return isinstance(value, str | list | tuple | dict | range)


def _iterable(value: Any) -> bool:
    return _sequence(value) or hasattr(type(value), "__iter__")


def _is_in(context: Context, value: Any, seq: Any) -> bool:
    return contains(meter_of(context), seq, value)


def _cased(name: str) -> Function:
    def test(context: Context, value: Any) -> bool:
        text = plain(value, context)
        meter_of(context).work(len(text))
        return getattr(text, name)()  # type: ignore[no-any-return]

    return test


def _plain(test: Callable[[Any], bool]) -> Function:
    return lambda _, value: test(value)


def _divisible(context: Context, value: Any, num: int) -> bool:
    if isinstance(value, str):
        raise Failed(f"`divisibleby` takes a number, not {a_kind(value)}")
    return bool(_number(context, "%", value, num) == 0)


_COMPARED: Final = {
    "eq": ("eq", "==", "equalto"),
    "ne": ("ne", "!="),
    "lt": ("lt", "<", "lessthan"),
    "lteq": ("le", "<="),
    "gt": ("gt", ">", "greaterthan"),
    "gteq": ("ge", ">="),
}
_TESTS: Final[dict[str, Function]] = {
    "boolean": _plain(lambda value: isinstance(value, bool)),
    "callable": _plain(lambda value: not isinstance(value, Undefined) and callable(value)),
    "defined": _plain(lambda value: not isinstance(value, Undefined)),
    "divisibleby": _divisible,
    "escaped": _plain(lambda value: isinstance(value, Markup)),
    "even": lambda context, value: _number(context, "%", value, 2) == 0,
    "false": _plain(lambda value: value is False),
    "filter": _plain(lambda value: value in FILTERS),
    "float": _plain(lambda value: isinstance(value, float)),
    "in": _is_in,
    "integer": _plain(lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "iterable": _plain(_iterable),
    "lower": _cased("islower"),
    "mapping": _plain(lambda value: isinstance(value, dict)),
    "none": _plain(lambda value: value is None),
    "number": _plain(lambda value: isinstance(value, int | float | Decimal)),
    "odd": lambda context, value: _number(context, "%", value, 2) == 1,
    "sameas": lambda _, value, other: operator.is_(value, other),
    "sequence": _plain(_sequence),
    "string": _plain(lambda value: isinstance(value, str)),
    "test": _plain(lambda value: value in TESTS),
    "true": _plain(lambda value: value is True),
    "undefined": _plain(lambda value: isinstance(value, Undefined)),
    "upper": _cased("isupper"),
}
_TESTS.update({name: _compare(sign) for sign, names in _COMPARED.items() for name in names})
TESTS: Final[Mapping[str, Function]] = {name: pass_context(function) for name, function in _TESTS.items()}
