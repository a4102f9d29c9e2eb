"""What a config class says about its fields, read once per class. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.component import Advice, Entities, Refers, SecretArguments, Slot, Writes
from pipeline.secret import Secret


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of a number, where they are declared."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A field: the types it may hold at any depth, and the marks on it."""

    written: str
    name: str
    info: FieldInfo
    leaves: tuple[Any, ...]
    slot: Slot | None
    refers: Refers | None
    writes: bool
    entities: bool
    advice: Advice
    arguments: SecretArguments | None
    bounds: Bounds
    model: type[BaseModel] | None
    """The class of the objects in it, if it holds objects of one class."""

    @property
    def takes_secret(self) -> bool:
        """Whether a secret may be the value."""
        return Secret in self.leaves

    @property
    def names_values(self) -> bool:
        """Whether it is an object of values of a type of their own under names that are the user's."""
        after = self.leaves[self.leaves.index(dict) + 2 :] if dict in self.leaves else ()
        return after != () and object not in after[:1]

    @property
    def named_parts(self) -> bool:
        """Whether it is an object of objects of the class, under names that are the user's."""
        return self.model is not None and self.slot is None and dict in self.leaves

    @property
    def part(self) -> Shape:
        """That of each object in it, where there are such names."""
        return replace(self, leaves=tuple(leaf for leaf in self.leaves if leaf is not dict))

    @property
    def choices(self) -> tuple[object, ...]:
        """The values of its `Literal`s."""
        return tuple(value for leaf in self.leaves if get_origin(leaf) is Literal for value in get_args(leaf))


@cache
def shapes(model: type[BaseModel]) -> Mapping[str, Shape]:
    """The fields of a class, by the property that a configuration writes."""
    found = {}
    for name, info in model.model_fields.items():
        marks = [*info.metadata, *_marks(info.annotation)]
        written = info.alias or name
        leaves = tuple(_leaves(info.annotation))
        models = [leaf for leaf in leaves if isinstance(leaf, type) and issubclass(leaf, BaseModel)]
        found[written] = Shape(
            written,
            name,
            info,
            leaves,
            next((mark for mark in marks if isinstance(mark, Slot)), None),
            next((mark for mark in marks if isinstance(mark, Refers)), None),
            any(isinstance(mark, Writes) for mark in marks),
            any(isinstance(mark, Entities) for mark in marks),
            next((mark for mark in marks if isinstance(mark, Advice)), Advice()),
            next((mark for mark in marks if isinstance(mark, SecretArguments)), None),
            Bounds(*(_bound(marks, name) for name in ("ge", "le", "gt", "lt"))),
            models[0] if len(models) == 1 else None,
        )
    return found


def _bound(marks: list[object], name: str) -> float | None:
    values = [getattr(mark, name) for mark in marks if getattr(mark, name, None) is not None]
    return values[0] if values else None


def _marks(annotation: Any) -> list[object]:  # noqa: ANN401 - annotations have no type of their own
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        # A `Field()` within a union keeps its bounds to itself.
        spread = [part for mark in marks for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
        return [*spread, *_marks(inner)]
    if origin in {Union, UnionType}:
        return [mark for part in get_args(annotation) for mark in _marks(part)]
    return []


def _leaves(annotation: Any) -> list[Any]:  # noqa: ANN401 - as above
    origin = get_origin(annotation)
    if origin is Annotated:
        return _leaves(get_args(annotation)[0])
    if origin is None or origin is Literal:
        return [annotation]
    parts = [leaf for part in get_args(annotation) if part is not Ellipsis for leaf in _leaves(part)]
    return parts if origin in {Union, UnionType} else [origin, *parts]
