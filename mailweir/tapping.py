"""Which entities somebody who looks at a flow wants to see, and how they are shown and kept. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from mailweir.shown import address
from pipeline.entity import Entity

Wanted = Callable[[Entity], bool]

_CONDITION: Final = re.compile(r"\s*(?P<path>[^\s\"]+)\s+(?P<how>is not|is|contains|begins|ends)\s+(?P<value>\S.*?)\s*")
_EXISTS: Final = re.compile(r"\s*(?P<path>[^\s\"]+)\s+exists\s*")
# Names before the `@` have up to 64 characters (RFC 5321, 4.5.3.1.1); a bound keeps the search quick in any text.
_ADDRESS: Final = re.compile(r"[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]{1,255}")
_NOBODYS: Final = re.compile(r"[@.](example(\.(com|net|org))?|test|invalid|localhost)$")
FORM: Final = (
    """write PROPERTY is|is not|contains|begins|ends "VALUE", or PROPERTY exists: 'email ends "@example.com"'"""
)

_tests: Final[dict[str, Callable[[str, str], bool]]] = {
    "is": lambda found, value: found == value,
    "contains": lambda found, value: value in found,
    "begins": lambda found, value: found.startswith(value),
    "ends": lambda found, value: found.endswith(value),
}


def condition(text: str) -> Wanted:
    """Whether an entity is as a condition says; `ValueError` for one that cannot be read.

    A property of a property is named with a point: `address.city`. Of a list one value is enough. Values are compared
    as texts, in small or capital letters.
    """
    if exists := _EXISTS.fullmatch(text):
        path = exists["path"].split(".")
        return lambda entity: any(True for _ in _values(entity, path))
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(FORM)
    path = found["path"].split(".")
    value = _unquoted(found["value"]).casefold()
    turned = found["how"] == "is not"
    test = _tests["is" if turned else found["how"]]

    def wanted(entity: Entity) -> bool:
        return any(test(_text(one), value) for one in _values(entity, path)) is not turned

    return wanted


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _values(value: Any, path: list[str]) -> list[Any]:  # noqa: ANN401 - values of entities are of any type
    if isinstance(value, list | tuple):
        return [found for one in value for found in _values(one, path)]
    if not path:
        return [value]
    if not isinstance(value, dict):
        return []
    # A name may have points of its own.
    whole = ".".join(path)
    if whole in value:
        return _values(value[whole], [])
    return _values(value[path[0]], path[1:]) if path[0] in value else []


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value).casefold()


def pretended(values: Sequence[Any]) -> tuple[list[Any], int]:
    """The same for test data, and how many addresses were replaced: `user1@example.com`, the same for the same one.

    Addresses in domains that are nobody's (RFC 2606) stay as they are, and no other one becomes one of them.
    """
    kept: set[str] = set()
    new: dict[str, str] = {}

    def met(found: re.Match[str]) -> str:
        name = found[0].casefold()
        if _NOBODYS.search(name):
            kept.add(name)
        else:
            new[name] = ""
        return found[0]

    for value in values:
        _with_addresses(value, met)
    names = (name for number in count(1) if (name := f"user{number}@example.com") not in kept)
    new = dict(zip(new, names, strict=False))
    replaced = [_with_addresses(value, lambda found: new.get(found[0].casefold(), found[0])) for value in values]
    return replaced, len(new)


def _with_addresses(value: Any, put: Callable[[re.Match[str]], str]) -> Any:  # noqa: ANN401 - as above
    """A value with something else in the place of each address, in names of properties too."""
    if isinstance(value, str):
        return _ADDRESS.sub(put, value) if "@" in value else value
    if isinstance(value, dict):
        return {_with_addresses(name, put): _with_addresses(one, put) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_addresses(one, put) for one in value]
    return value


def masked(value: Any) -> Any:  # noqa: ANN401 - as above
    """The same with addresses shortened: `k…@example.com`."""
    return _with_addresses(value, lambda found: address(found[0], full=False))
