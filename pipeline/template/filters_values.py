"""Filters between kinds of values: times, bytes, JSON, and what stands where there is nothing. No I/O."""

from __future__ import annotations

import json as standard_json
from base64 import b64decode, b64encode, urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from jinja2 import Undefined
from jinja2.runtime import Context
from markupsafe import Markup

from pipeline.template.limits import Failed
from pipeline.template.methods import meter_of
from pipeline.template.times import formatted, in_zone, moment
from pipeline.template.values import WRITERS, Missing, a_kind, plain, weigh

# JSON that stands in HTML ends no tag and begins none.
_IN_HTML: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"})
_MOST_INDENT: Final = 16


def default(_: Context, value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Another value in the place of one that is missing or null; with `true`, also of one that is empty, 0 or false."""
    missing = value is None or isinstance(value, Undefined)
    return default_value if missing or (boolean and not value) else value


def _each(context: Context, value: Any, work: Callable[[Any], Any]) -> Any:
    """The result for a value, or for each item of a list."""
    if isinstance(value, Undefined):
        raise Missing(value)
    if isinstance(value, list | tuple):
        return [work(item) for item in meter_of(context).each(value, 4)]
    return work(value)


def datetime_(context: Context, value: Any) -> Any:
    """A time that can be compared, moved and written."""
    return _each(context, value, moment)


def datetime_format(
    context: Context,
    value: Any,
    *words: str,
    tz: str = "UTC",
    locale: str = "en",
) -> Any:
    """A time as text: `"%d.%m.%Y"`, a zone such as `"Europe/Oslo"` before or after it, and the language of names."""
    patterns = [word for word in words if isinstance(word, str) and "%" in word]
    zones = [word for word in words if word not in patterns]
    if len(patterns) != 1 or len(zones) > 1 or not all(isinstance(zone, str) for zone in zones):
        raise Failed("`datetime_format` needs one pattern such as `%d.%m.%Y`, and may have one time zone")
    zone = zones[0] if zones else tz

    def write(when: Any) -> str:
        meter_of(context).step(4 + len(patterns[0]))
        return formatted(in_zone(moment(when), zone), patterns[0], locale)

    return _each(context, value, write)


def bytes_(context: Context, value: Any) -> Any:
    """The bytes of a text, as UTF-8."""

    def work(item: Any) -> bytes:
        if not isinstance(item, str):
            raise Failed(f"`bytes` takes text, not {a_kind(item)}")
        meter_of(context).make(len(item))
        return item.encode("utf-8", "replace")

    return _each(context, value, work)


def base64_encode(context: Context, value: Any) -> Any:
    """Bytes as base64; of a text, its bytes as UTF-8."""

    def work(item: Any) -> str:
        if not isinstance(item, str | bytes):
            raise Failed(f"`base64_encode` takes bytes or text, not {a_kind(item)}")
        meter_of(context).make(2 * len(item))
        return b64encode(item.encode("utf-8", "replace") if isinstance(item, str) else item).decode("ascii")

    return _each(context, value, work)


def base64_decode(context: Context, value: Any) -> Any:
    """The bytes that a text in base64 stands for."""

    def work(item: Any) -> bytes:
        if not isinstance(item, str):
            raise Failed(f"`base64_decode` takes text, not {a_kind(item)}")
        meter_of(context).make(len(item))
        try:
            return b64decode(item, validate=True)
        except (NotBase64, ValueError):
            raise Failed("this text is not base64") from None

    return _each(context, value, work)


def decode_jwt(context: Context, value: Any, verify: bool = True) -> Any:
    """The claims of a token. Who signed it is not checked here, and the template says that it knows: `verify=false`."""
    if verify is not False:
        raise Failed(
            "a template cannot check who signed a token: it has no keys",
            "check it before the sink; to show what anyone may have written use `decode_jwt(verify=false)`",
        )
    token = plain(value, context)
    meter_of(context).make(len(token))
    try:
        _, claims, _ = token.split(".")
        found = standard_json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (ValueError, RecursionError):
        raise Failed("this text is no token") from None
    weigh(found, meter_of(context))
    return found


def json(context: Context, value: Any, indent: int | None = None) -> str:
    """As JSON; in HTML so that it can stand anywhere in it."""
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= _MOST_INDENT):
        raise Failed(f"`json` indents by up to {_MOST_INDENT} characters")
    weight = weigh(value, meter_of(context))
    meter_of(context).make(weight * (2 + (indent or 0)))
    try:
        text = standard_json.dumps(value, ensure_ascii=False, indent=indent, default=_written, allow_nan=False)
    except (ValueError, TypeError):
        raise Failed("this has values that JSON cannot hold") from None
    return Markup(text.translate(_IN_HTML)) if context.eval_ctx.autoescape else text  # noqa: S704 - it is escaped


def _written(value: Any) -> Any:
    if isinstance(value, Undefined):
        raise Missing(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value.adjusted()) < 18 else float(value)
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    write = next((WRITERS[kind] for kind in type(value).__mro__ if kind in WRITERS), None)
    if write is None:
        raise TypeError
    return write(value)
