"""Datasets: what the state keeps of entities, as plain values, and what it is asked about them. No I/O.

A dataset has each entity once, in the order of changes: `_updated` counts them. What a newer version replaced goes to
the history. Who reads by `_updated` meets each change once, and deletes too: a deleted entity stays as one that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from pipeline.entity import Entity
from pipeline.state.facts import Offset

# Marks of so many entities are stored together: a kilobyte.
_PAGE_BITS: Final = 13
_WITHIN: Final = (1 << _PAGE_BITS) - 1
_PAGE_BYTES: Final = 1 << (_PAGE_BITS - 3)


ONCE: Final = "once/"
"""What the names of notes begin with that are forgotten in a while."""


class Entry(NamedTuple):
    """An entity on its way into a dataset. `hash` tells its version: of `_id`, `_deleted` and what is no reserved name.

    `entity` is without other reserved names, as JSON can hold it (`pipeline.entity.transit`). `expected` is the
    `_updated` that the stored version must have.
    """

    id: str
    hash: bytes
    deleted: bool
    entity: Entity
    filtered: bool = False
    expected: int | None = None


class Once(NamedTuple):
    """A note that is written with a change. Where one of this name is, the change happened before.

    The name begins with `ONCE`.
    """

    name: str
    text: str


class TooManyError(Exception):
    """More would change than may. Nothing did."""


class Scan:
    """Which entities of a dataset a reading of a whole source has met: a bit for each, by `_updated`.

    It goes with the entities into the state, so that a reading that is killed goes on where it was.
    """

    __slots__ = ("_pages", "_touched", "ahead", "began", "number")

    def __init__(self, number: int, began: int, pages: Mapping[int, bytes] | None = None) -> None:
        """`number` is that of the dataset, `began` its latest change before; `pages` are of a reading that goes on.

        What came later and was not met is of another process that writes too.
        """
        self.number = number
        self.began = began
        self._pages = {page: int.from_bytes(bits, "little") for page, bits in (pages or {}).items()}
        self._touched: set[int] = set()
        self.ahead: int | None = 0
        """The `_updated` behind which the next entities are looked for first: sources keep their order."""

    def add(self, updated: int) -> None:
        """It was met."""
        page = updated >> _PAGE_BITS
        self._pages[page] = self._pages.get(page, 0) | (1 << (updated & _WITHIN))
        self._touched.add(page)

    def add_all(self, updated: Sequence[int]) -> None:
        """They were met; each stands there once. Most often they follow each other."""
        first, last = min(updated, default=0), max(updated, default=-1)
        page = first >> _PAGE_BITS
        if last >> _PAGE_BITS != page or last - first + 1 != len(updated):
            for one in updated:
                self.add(one)
            return
        self._pages[page] = self._pages.get(page, 0) | (((1 << len(updated)) - 1) << (first & _WITHIN))
        self._touched.add(page)

    def discard(self, updated: int) -> None:
        """There is a newer version of it."""
        page = updated >> _PAGE_BITS
        if page in self._pages:
            self._pages[page] &= ~(1 << (updated & _WITHIN))
            self._touched.add(page)

    def __contains__(self, updated: int) -> bool:
        """Whether it was met."""
        return bool(self._pages.get(updated >> _PAGE_BITS, 0) >> (updated & _WITHIN) & 1)

    def __len__(self) -> int:
        """How many were met."""
        return sum(map(int.bit_count, self._pages.values()))

    def touched(self) -> Iterator[tuple[int, bytes]]:
        """The pages that changed since this was asked last."""
        for page in sorted(self._touched):
            yield page, self._pages[page].to_bytes(_PAGE_BYTES, "little")
        self._touched.clear()


@dataclass(frozen=True, slots=True)
class Change:
    """Entities for a dataset, in their order, with what must be true with them: all of it or nothing.

    `pipe` is who writes. With `history` replaced versions are kept; with `tombstones` an entity that was filtered out
    and never here is stored too. If more than `most` change, that is `TooManyError`. What happens `once` is not done
    where its note is. Entries are `unique` that a source gives anew in each run: what it has twice is one entity, as
    the last of them says. To write each of them would change it twice in every run.
    """

    dataset: str
    pipe: str
    entries: Sequence[Entry] = ()
    offset: Offset | None = None
    scan: Scan | None = None
    history: bool = True
    tombstones: bool = False
    most: int | None = None
    once: Once | None = None
    unique: bool = False


class Changed(NamedTuple):
    """How many entities were written, and how many there was nothing to do for; by place those that were refused.

    `filtered` of the ones that were written were filtered out, and are deleted. `before` is what the note of a change
    says that happened before. `repeated` is one that the same reading of a source had met before, as another version.
    """

    written: int = 0
    skipped: int = 0
    filtered: int = 0
    refused: tuple[tuple[int, str], ...] = ()
    before: str | None = None
    repeated: str = ""


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
    `scanning` is not 0 while a whole source is being read into it, also after somebody stopped.
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
    """Entities in the order of `_updated`, and the one up to which there are no others."""

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

        The path is of properties; lists on the way are gone through. A name that begins with `*:` stands for the
        properties of this name in every namespace, and in none.
        """
        ...

    def note(self, name: str) -> str | None:
        """What the state has noted under a name."""
        ...

    def search(self, name: str, path: Sequence[str], values: Iterable[Any], after: int, upto: int, most: int) -> Page:
        """As `find`, of those with `_updated` after one and up to another, and in its order."""
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

    async def compact(
        self, dataset: str, before: float, *, deleted: bool = False, read: int | None = None
    ) -> Compacted:
        """Remove versions that were replaced, and stored before a wall time; with `deleted` also deleted entities.

        With `read` no more than what was written up to this change.
        """
        ...
