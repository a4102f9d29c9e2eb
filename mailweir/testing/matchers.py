"""Matchers: objects in what a case expects that stand for more than one value. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.config.near import near

ABSENT: Final = object()
"""In the place of a value: the property is not there."""

# As near as sums of money and averages come when they are worked out in another order.
_NEAR: Final = 1e-9
MATCHERS: Final = ("$contains", "$matches", "$any", "$absent", "$file", "$approx", "$one_of")


def name_of(value: object) -> str | None:
    """The name of the matcher that an object is; None of one that is a value."""
    if isinstance(value, dict) and len(value) == 1:
        (name,) = value
        return name if isinstance(name, str) and name.startswith("$") else None
    return None


def fault_of(name: str, argument: object) -> str:
    """What is wrong with a matcher; nothing if it is right."""
    if name not in MATCHERS:
        close = near(name, MATCHERS)
        return f"there is no matcher `{name}`" + (f": did you mean `{close[0]}`?" if close else "")
    match name:
        case "$matches":
            if not isinstance(argument, str):
                return "`$matches` takes a regular expression, as a string"
            try:
                re.compile(argument)
            except (re.error, RecursionError, OverflowError) as error:
                return f"`$matches` takes a regular expression: {error}"
        case "$any" | "$absent":
            if argument is not True:
                return f"`{name}` is written `{{{name!r}: true}}`".replace("'", '"')
        case "$file":
            if not isinstance(argument, str) or not argument:
                return "`$file` takes the name of a file beside the test"
        case "$approx":
            if isinstance(argument, bool) or not isinstance(argument, int | float):
                return "`$approx` takes a number"
        case "$one_of":
            if not isinstance(argument, list) or not argument:
                return "`$one_of` takes a list of values"
    return ""


def matchers_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str, object]]:
    """Each matcher in a value: where it stands, its name and its argument."""
    name = name_of(value)
    if name is not None and isinstance(value, dict):
        yield path, name, value[name]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from matchers_in(inner, (*path, str(key)))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from matchers_in(inner, (*path, place))


def holds(name: str, argument: Any, actual: Any, files: Mapping[str, str]) -> bool:
    """Whether a value is one that the matcher stands for. `files` are texts beside the test, by name."""
    text = _text(actual)
    match name:
        case "$any":
            return actual is not ABSENT
        case "$absent":
            return actual is ABSENT
        case "$contains":
            if isinstance(actual, list) and any(same(argument, one) for one in actual):
                return True
            if isinstance(actual, dict):
                return isinstance(argument, str) and argument in actual
            return text is not None and isinstance(argument, str) and argument in text
        case "$matches":
            return text is not None and re.search(argument, text, re.MULTILINE) is not None
        case "$file":
            return text is not None and text.rstrip("\n") == files.get(argument, "").rstrip("\n")
        case "$approx":
            number = isinstance(actual, int | float) and not isinstance(actual, bool)
            return number and math.isclose(actual, argument, rel_tol=_NEAR, abs_tol=_NEAR)
    return any(same(one, actual) for one in argument)


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON: `1` is `1.0`, and never `true`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other if isinstance(one, str) else one == other


def _text(value: object) -> str | None:
    """A string, or the lines of a body as one."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return None
