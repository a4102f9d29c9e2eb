"""Datasets: what the state keeps of entities, as plain values, and what it is asked about them. No I/O.

A dataset has each entity once, in the order of changes: `_updated` counts them. What a newer version replaced goes to
the history. Who reads by `_updated` meets each change once, and deletes too: a deleted entity stays as one that is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

from msgspec import DecodeError

from pipeline.entity import Entity, from_json, to_json, typed
from pipeline.state.facts import Offset

# Marks of so many entities are stored together: a kilobyte.
_PAGE_BITS: Final = 13
_PAGE: Final = 1 << _PAGE_BITS
_WITHIN: Final = _PAGE - 1
# Numbers of this size are written out by all types alike; ones with more zeros at their end have a power of ten.
_EXACT: Final = 1 << 62
_LONGEST: Final = 20
_bit: Final = tuple(1 << number for number in range(8))


class Entry(NamedTuple):
    """An entity on its way into a dataset. `hash` tells its version: of `_id`, `_deleted` and what is no reserved name.

    `entity` is without other reserved names. `expected` is the `_updated` that the stored version must have.
    """

    id: str
    hash: bytes
    deleted: bool
    entity: Entity
    filtered: bool = False
    expected: int | None = None


def entity_hash(text: bytes) -> bytes:
    """What tells a version from others, of its JSON with names in order: 128 bits."""
    return blake2b(text, digest_size=16).digest()


def stored_entity(data: bytes) -> Entity:
    """An entity of its JSON."""
    try:
        entity: Entity = from_json(data)
    except DecodeError:  # half a character
        entity = typed(json.loads(data))
    if type(entity["_id"]) is not str:
        # A name that looks like a value of another type is a name.
        entity["_id"] = json.loads(data)["_id"]
    return entity


def values_at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """The values at a path of properties; lists on the way and at its end are gone through."""
    if isinstance(value, list):
        for item in value:
            yield from values_at(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def value_key(value: Any) -> bytes | None:
    """The same bytes for values that are equal, and for no others; None for null, which is equal to nothing."""
    if value is None:
        return None
    if isinstance(value, float | Decimal):
        return _number_key(Decimal(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return _number_key(Decimal(value)) if abs(value) > _EXACT else b"%d" % value
    return to_json(value, ordered=True)


def _number_key(value: Decimal) -> bytes | None:
    if not value.is_finite():
        return None if value.is_nan() else b"%r" % float(value)
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    power = int(exponent) + len(text) - len(short)
    if not short:
        return b"0"
    written = "0" * power if 0 <= power < _LONGEST else f"E{power}"
    return f"{'-' if sign else ''}{short}{written}".encode()


class TooManyError(Exception):
    """More would change than may. Nothing did."""


class Scan:
    """Which entities of a dataset a reading of a whole source has met: a bit for each, by `_updated`.

    It goes with the entities into the state, so that a reading that is killed goes on where it was.
    """

    __slots__ = ("_pages", "_touched", "number")

    def __init__(self, number: int, pages: Mapping[int, bytes] | None = None) -> None:
        """`number` is that of the dataset; `pages` are those of a reading that goes on."""
        self.number = number
        self._pages = {page: bytearray(bits) for page, bits in (pages or {}).items()}
        self._touched: set[int] = set()

    def add(self, updated: int) -> None:
        """It was met."""
        page = updated >> _PAGE_BITS
        bits = self._pages.get(page)
        if bits is None:
            bits = self._pages[page] = bytearray(_PAGE >> 3)
        at = updated & _WITHIN
        bits[at >> 3] |= _bit[at & 7]
        self._touched.add(page)

    def discard(self, updated: int) -> None:
        """There is a newer version of it."""
        page = updated >> _PAGE_BITS
        bits = self._pages.get(page)
        if bits is not None:
            at = updated & _WITHIN
            bits[at >> 3] &= ~_bit[at & 7]
            self._touched.add(page)

    def __contains__(self, updated: int) -> bool:
        """Whether it was met."""
        bits = self._pages.get(updated >> _PAGE_BITS)
        at = updated & _WITHIN
        return bits is not None and bool(bits[at >> 3] & _bit[at & 7])

    def __len__(self) -> int:
        """How many were met."""
        return sum(int.from_bytes(bits, "little").bit_count() for bits in self._pages.values())

    def touched(self) -> Iterator[tuple[int, bytes]]:
        """The pages that changed since this was asked last."""
        for page in sorted(self._touched):
            yield page, bytes(self._pages[page])
        self._touched.clear()


@dataclass(frozen=True, slots=True)
class Change:
    """Entities for a dataset, in their order, with what must be true with them: all of it or nothing.

    `pipe` is who writes. With `history` replaced versions are kept; with `tombstones` an entity that was filtered out
    and never here is stored too. If more than `most` change, that is `TooManyError`.
    """

    dataset: str
    pipe: str
    entries: Sequence[Entry] = ()
    offset: Offset | None = None
    scan: Scan | None = None
    history: bool = True
    tombstones: bool = False
    most: int | None = None


class Changed(NamedTuple):
    """How many entities were written, and how many there was nothing to do for; by place those that were refused.

    `filtered` of the ones that were written were filtered out, and are deleted.
    """

    written: int = 0
    skipped: int = 0
    filtered: int = 0
    refused: tuple[tuple[int, str], ...] = ()


class Compacted(NamedTuple):
    """How many replaced versions, and how many deleted entities were removed."""

    versions: int
    deleted: int


class Swept(NamedTuple):
    """How many entities were deleted, and where to go on; None when it is done."""

    deleted: int
    next: int | None


class Dataset(NamedTuple):
    """A dataset. `number` names it for good: one that is deleted and made again has another.

    `last` is the `_updated` of the latest change, `changed` its wall time. `entities` are those that are not deleted.
    `scanning`: a whole source is being read into it, or was when somebody stopped.
    """

    number: int
    name: str
    pipe: str
    last: int
    entities: int
    deleted: int
    changed: float
    scanning: int = 0
    history: int = 0
    size: int = 0
    indexes: tuple[str, ...] = ()


class Page(NamedTuple):
    """Entities in the order of `_updated`, and that of the last one."""

    entities: Sequence[Entity]
    last: int


class Reads(Protocol):
    """What can be read of datasets, at once. `StateError` when they cannot be."""

    def dataset(self, name: str) -> Dataset | None:
        """A dataset; None if nothing was ever written to it."""
        ...

    def page(self, number: int, after: int, upto: int, most: int, *, history: bool = False) -> Page:
        """Entities with `_updated` after one and up to another; with `history` also versions that were replaced."""
        ...

    def get(self, name: str, id: str) -> Entity | None:
        """The entity with this `_id`, also a deleted one."""
        ...

    def many(self, number: int, ids: Sequence[str]) -> Mapping[str, Entity]:
        """Those of the entities that a dataset has, by `_id`; deleted ones too."""
        ...

    def find(self, name: str, path: Sequence[str], values: Iterable[Any]) -> list[Entity]:
        """Entities, not deleted ones, of which a value at the path is one of these. An index is used if there is one.

        The path is of properties; lists on the way are gone through.
        """
        ...


class Writes(Protocol):
    """What is written to datasets. What a call did is on the disk when it returns."""

    async def prepare(self, dataset: str, pipe: str, indexes: Sequence[Sequence[str]] = ()) -> int:
        """Make a dataset and its indexes, if they are not there: how many entities it has that are not deleted."""
        ...

    async def scan(self, dataset: str, pipe: str, *, afresh: bool) -> Scan | None:
        """A reading of the whole source begins, or goes on; None if none is there to go on with."""
        ...

    async def abandon(self, dataset: str) -> None:
        """The reading of the whole source does not go on: nothing can be said of what it has not met."""
        ...

    async def put(self, change: Change) -> Changed:
        """Write entities, and their position."""
        ...

    async def missing(self, scan: Scan) -> int:
        """How many entities of the dataset the reading has not met, that has come to its end."""
        ...

    async def sweep(self, scan: Scan, after: int, *, marked: bool = False, history: bool = True) -> Swept:
        """Delete some of the entities that were not met; the last call ends the reading. `marked` says so in them."""
        ...

    async def delete(self, dataset: str) -> int | None:
        """Remove a dataset, and let its pipe begin anew: how many entities it had, None if there is none."""
        ...

    async def compact(self, dataset: str, before: float, *, deleted: bool = False) -> Compacted:
        """Remove versions that were replaced, and stored before a wall time; with `deleted` also deleted entities."""
        ...
