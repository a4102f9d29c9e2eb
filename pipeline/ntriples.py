"""RDF as N-Triples: one statement a line. No I/O."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from pipeline.entity import Date, Datetime

_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
# What an IRIREF may not hold, N-Triples section 7.
_unfit: Final = re.compile('[\x00-\x20<>"{}|^`\\\\]')
_half: Final = re.compile("[\ud800-\udfff]")
# The short escapes of the canonical form; all other control characters have their number.
_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)},
    **{
        ord(char): sign
        for char, sign in zip('\b\t\n\f\r"\\', ["\\b", "\\t", "\\n", "\\f", "\\r", '\\"', "\\\\"], strict=True)
    },
}
# A decimal is written in full; with more digits than that, a small text would become a very large one.
_MOST_DIGITS: Final = 1000


def iri(address: str) -> str:
    """An address between `<` and `>`; characters that it may not hold are written as in a URL."""
    return f"<{_unfit.sub(lambda found: f'%{ord(found.group()):02X}', whole(address))}>"


def literal(value: object) -> str:
    """A single value with its datatype; ValueError for one that has no such form."""
    if isinstance(value, str):
        return _quoted(value)
    form = _FORMS.get(type(value))
    if form is None:
        return _quoted(str(value))
    datatype, text = form
    return f"{_quoted(text(value))}^^<{_XSD}{datatype}>"


def whole(text: str) -> str:
    """The text itself; ValueError for one with half a character, which UTF-8 cannot hold."""
    if _half.search(text):
        raise ValueError("it has half a character")
    return text


def _quoted(text: str) -> str:
    return f'"{whole(text).translate(_ESCAPES)}"'


def _double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("INF" if value > 0 else "-INF")


def _decimal(value: Decimal) -> str:
    if value.is_finite() and value and abs(value.adjusted()) + len(value.as_tuple().digits) > _MOST_DIGITS:
        raise ValueError(f"a decimal number with more than {_MOST_DIGITS:,} digits")
    return format(value or Decimal(0), "f")


_FORMS: Final[Mapping[type, tuple[str, Callable[[Any], str]]]] = {
    bool: ("boolean", lambda value: "true" if value else "false"),
    int: ("integer", str),
    float: ("double", _double),
    Decimal: ("decimal", _decimal),
    Datetime: ("dateTime", str),
    Date: ("date", str),
    bytes: ("base64Binary", lambda value: b64encode(value).decode()),
}
