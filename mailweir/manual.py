"""What can be said about the types of components, computed from the config classes that validate them.

`explain`, `schema`, `list` and the generated reference say what stands here, so they cannot drift from the check.
Pure, given a `Registry`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.component import Kind, Slot
from pipeline.config.registry import Registry
from pipeline.config.settings import Settings
from pipeline.config.shape import Bounds, Shape, shapes
from pipeline.secret import Secret

SETTINGS: Final = "mailweir.json"
kinds: Final[tuple[Kind, ...]] = ("system", "source", "transform", "sink", "pipe", "metadata")
Nouns = tuple[str, str]
# What stands first in a manual, as it does in a configuration.
_first = ("type", "_id")


@dataclass(frozen=True, slots=True)
class PropertyManual:
    """A property. `default` is JSON, or None where there is none; `nested` are the properties of objects in it."""

    name: str
    type_words: str
    default: str | None
    required: bool
    description: str
    secret: bool = False
    choices: tuple[str, ...] = ()
    nested: tuple[PropertyManual, ...] = ()
    component: Kind | None = None
    """The kind of the components in it, if it holds components."""

    @property
    def facts(self) -> str:
        """The type, and whether it is required or what it is by itself: `integer, 1 or more, default 1000`."""
        if self.required:
            return f"{self.type_words}, required"
        return f"{self.type_words}, default {self.default}" if self.default is not None else self.type_words


@dataclass(frozen=True, slots=True)
class TypeManual:
    """A type of component, or the file of settings."""

    kind: Kind | Literal["settings"]
    type: str
    summary: str
    properties: tuple[PropertyManual, ...]

    @property
    def title(self) -> str:
        """As people name it: `system:smtp`, `sink mail`, `pipe`."""
        return f"{self.kind} {self.type}" if self.kind in {"source", "transform", "sink"} else self.type

    def find(self, path: str) -> PropertyManual | None:
        """The property of this name; `pump.mode` leads into an object."""
        first, *rest = path.split(".")
        found = _named(self.properties, first)
        for name in rest:
            found = _named(found.nested, name) if found else None
        return found


def _named(properties: tuple[PropertyManual, ...], name: str) -> PropertyManual | None:
    return next((one for one in properties if one.name.lower() == name.lower()), None)


def manuals(registry: Registry) -> Iterator[TypeManual]:
    """Every type of the registry, by kind and name, and then the settings; a class is imported when its turn comes."""
    for kind in kinds:
        for type_name in registry.names(kind):
            found = manual(registry, kind, type_name)
            if found:
                yield found
    yield settings_manual()


def manual(registry: Registry, kind: Kind, type_name: str) -> TypeManual | None:
    """A type as a configuration writes it (`system:smtp`), or None if there is none."""
    model = registry.find(kind, type_name)
    return TypeManual(kind, type_name, one_line(model.__doc__), properties(model)) if model else None


def settings_manual() -> TypeManual:
    """`mailweir.json`."""
    return TypeManual("settings", SETTINGS, one_line(Settings.__doc__), properties(Settings))


def properties(model: type[BaseModel]) -> tuple[PropertyManual, ...]:
    """The properties of a class: `type` and `_id`, then its own, then those of its bases."""
    fields = {shape.name: shape for shape in shapes(model).values()}
    ordered = [fields[name] for name in _in_order(model)]
    return tuple(property_manual(shape) for shape in sorted(ordered, key=lambda shape: _rank(shape.written)))


def _rank(name: str) -> int:
    return _first.index(name) if name in _first else len(_first)


def _in_order(model: type[BaseModel]) -> Iterator[str]:
    """Field names, those that a class itself brings before those of its bases."""
    seen: set[str] = set()
    for owner in model.__mro__:
        if not issubclass(owner, BaseModel):
            continue
        inherited = {name for base in owner.__bases__ if issubclass(base, BaseModel) for name in base.model_fields}
        own = [name for name in owner.model_fields if name not in inherited and name not in seen]
        seen.update(own)
        yield from own


def property_manual(shape: Shape) -> PropertyManual:
    """What a field says about itself."""
    inner = shape.model if not shape.slot else None
    return PropertyManual(
        shape.written,
        type_words(shape),
        default_text(shape.info),
        shape.info.is_required(),
        one_line(shape.info.description),
        shape.takes_secret,
        tuple(str(choice) for choice in shape.choices),
        properties(inner) if inner else (),
        shape.slot.kind if shape.slot else None,
    )


def type_words(shape: Shape) -> str:
    """The type of a field in words: `integer, 1 to 65535`."""
    if shape.slot:
        return _slot_words(shape.slot)
    words = either(_alternatives(shape.info.annotation, _text_nouns(shape)))
    if limits := _range(shape.bounds):
        words += f", {limits}"
    if any(getattr(mark, "min_length", None) for mark in shape.info.metadata):
        words += ", not empty"
    return words


def _slot_words(slot: Slot) -> str:
    if slot.many == "object":
        return f"object of {slot.kind}s, by name"
    return f"a {slot.kind}" if slot.many == "one" else f"a {slot.kind}, or a list of {slot.kind}s"


def _text_nouns(shape: Shape) -> Nouns:
    """What the texts of a field are, one and many."""
    refers = shape.refers
    if refers is not None and refers.kind == "system":
        able = f" that can {refers.noun}" if refers.noun else ""
        return f"`_id` of a system{able}", f"`_id`s of systems{able}"
    if refers is not None or shape.writes:
        return "name of a dataset", "names of datasets"
    return "string", "strings"


def _alternatives(annotation: Any, texts: Nouns, *, many: bool = False) -> list[str]:  # noqa: ANN401 - as annotations are
    """What a value may be, each in words; `many` for the plural."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0], texts, many=many)
    if origin in {Union, UnionType}:
        return [words for part in get_args(annotation) for words in _alternatives(part, texts, many=many)]
    if origin is Literal:
        return [json.dumps(choice) for choice in get_args(annotation)]
    if annotation is NoneType:
        return []
    if annotation is bool:
        return ["true", "false"]
    if origin in {tuple, list, dict}:
        name = "object" if origin is dict else "list"
        inner = [part for part in get_args(annotation) if part is not Ellipsis][-1]
        items = either(_alternatives(inner, texts, many=True))
        return [name + "s" * many + (f" of {items}" if items else "")]
    return [noun[many] for noun in (_noun(annotation, texts),) if noun]


def _noun(annotation: Any, texts: Nouns) -> Nouns | None:  # noqa: ANN401 - as above
    """The noun of a plain type; None for `object`, which is any value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "object", "objects"
    nouns = {
        int: ("integer", "integers"),
        float: ("number", "numbers"),
        str: texts,
        Secret: ("secret", "secrets"),
        list: ("list", "lists"),
        dict: ("object", "objects"),
    }
    return nouns.get(annotation)


def either(words: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = dict.fromkeys(words) or [""]
    return f"{', '.join(most)} or {last}" if most else last


def _range(bounds: Bounds) -> str:
    least, most, above, below = (
        _number(limit) if limit is not None else "" for limit in (bounds.least, bounds.most, bounds.above, bounds.below)
    )
    if least and most:
        return f"{least} to {most}"
    limits = [
        f"{least} or more" if least else "",
        f"more than {above}" if above else "",
        f"at most {most}" if most else "",
        f"less than {below}" if below else "",
    ]
    return " and ".join(limit for limit in limits if limit)


def default_text(info: FieldInfo) -> str | None:
    """What a field is when it is not written, as JSON; None when that says nothing: null, an empty list or object."""
    value = info.default
    if value is PydanticUndefined or value is None or value == ():
        return None
    return _number(value) if isinstance(value, float) else json.dumps(value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def one_line(text: str | None) -> str:
    """A docstring without its line breaks."""
    return " ".join((text or "").split())
