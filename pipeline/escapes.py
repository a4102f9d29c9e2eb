"""How a value looks after the escapes of JSON, `repr`, HTML and URLs. No I/O."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

Escape = Callable[[str], str]

# Beyond so many characters an escape within an escape is not looked for: the forms would fill the memory.
LONGEST_NESTED: Final = 4096

# What URL encoders leave as it is: strict ones, paths, encodeURIComponent, encodeURI, and the user part of RFC 3986.
_URL_KEEPS: Final = ("", "/", "!*'()", "!#$&'()*+,/:;=?@", "!$&'()*+,;=")

_lower_hex = re.compile(r"\\u[0-9a-f]{4}")
_percent = re.compile(r"%[0-9A-F]{2}")


def spellings_of(value: str) -> tuple[str, ...]:
    """The value, each way to escape it, and each escape of an escape."""
    forms = dict.fromkeys([value, *(escape(value) for escape in ESCAPES)])
    if len(value) <= LONGEST_NESTED:
        forms |= dict.fromkeys([escape(form) for form in forms for escape in ESCAPES])
    return tuple(forms)


def _json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _json_utf8(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _json_upper(value: str) -> str:
    return _lower_hex.sub(lambda match: r"\u" + match[0][2:].upper(), _json(value))


def _json_slash(value: str) -> str:
    return _json(value).replace("/", r"\/")


def _json_in_html(value: str) -> str:
    escaped = _json(value)
    for character in "<>&'":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    return escaped


def _each(value: str, escape: Escape) -> str:
    """Escape character by character: quotes stay as they are, as `repr` leaves them when it can."""
    return "".join(character if character in "'\"" else escape(character)[1:-1] for character in value)


def _repr(value: str) -> str:
    return _each(value, repr)


def _ascii(value: str) -> str:
    return _each(value, ascii)


def _bytes_repr(value: str) -> str:
    return _each(
        value.encode("utf-8", "surrogatepass").decode("latin-1"), lambda byte: repr(byte.encode("latin-1"))[1:]
    )


def _quoted(escape: Escape) -> Iterator[Escape]:
    """The same where a quote of either kind is escaped, because it is the kind that stands around."""
    yield escape
    yield lambda value: escape(value).replace("'", r"\'")
    yield lambda value: escape(value).replace('"', r"\"")


def _backslashes(value: str) -> str:
    return value.encode("ascii", "backslashreplace").decode("ascii")


def _html_numbers(value: str) -> str:
    return html.escape(value).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _html_ways() -> Iterator[Escape]:
    def way(double: str, single: str) -> Escape:
        return lambda value: html.escape(value, quote=False).replace('"', double).replace("'", single)

    for double in ('"', "&quot;", "&#34;"):
        for single in ("'", "&#x27;", "&#39;", "&apos;"):
            yield way(double, single)


def _url_ways() -> Iterator[Escape]:
    def way(keep: str, *, plus: bool, lower: bool) -> Escape:
        def escape(value: str) -> str:
            escaped = quote(value.encode("utf-8", "surrogatepass"), safe=keep + " " * plus)
            if lower:
                escaped = _percent.sub(lambda match: match[0].lower(), escaped)
            return escaped.replace(" ", "+")

        return escape

    for keep in _URL_KEEPS:
        for lower in (False, True):
            yield way(keep, plus=False, lower=lower)
            yield way(keep, plus=True, lower=lower)


ESCAPES: Final[tuple[Escape, ...]] = (
    _json,
    _json_utf8,
    _json_upper,
    _json_slash,
    _json_in_html,
    *_quoted(_repr),
    *_quoted(_ascii),
    *_quoted(_bytes_repr),
    _backslashes,
    _html_numbers,
    *_html_ways(),
    *_url_ways(),
)
