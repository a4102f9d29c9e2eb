"""Writing to datasets as the port has it: each call is one transaction of the writer, or several small ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from pipeline.state.datasets import Change, Changed, Compacted, Scan, Swept
from pipeline.state.sqlite import dataset_removal, datasets, properties
from pipeline.state.sqlite.transaction import Transaction

# Entities that one transaction of a sweep looks at.
_SWEPT: Final = 5000


class SqliteWrites:
    """`pipeline.state.datasets.Writes`, on one file."""

    def __init__(self, do: Callable[[Callable[[Transaction], Any]], Awaitable[Any]]) -> None:
        """`do` is the writer's."""
        self._do = do

    async def prepare(self, dataset: str, pipe: str, indexes: Sequence[Sequence[str]] = ()) -> int:
        """Make a dataset and its indexes."""

        def prepare(transaction: Transaction) -> int:
            found = datasets.made(transaction, dataset, pipe)
            for path in indexes:
                properties.make(transaction.connection, found.number, path, datasets.UPDATED_BITS)
            return found.entities

        many: int = await self._do(prepare)
        return many

    async def scan(self, dataset: str, pipe: str, *, afresh: bool) -> Scan | None:
        """A reading of the whole source begins, or goes on."""
        found: Scan | None = await self._do(lambda t: datasets.scan(t, dataset, pipe, afresh=afresh))
        return found

    async def abandon(self, dataset: str) -> None:
        """The reading of the whole source does not go on."""
        await self._do(lambda t: datasets.abandon(t, dataset))

    async def put(self, change: Change) -> Changed:
        """Write entities."""
        done: Changed = await self._do(lambda t: datasets.put(t, change))
        return done

    async def missing(self, scan: Scan) -> int:
        """How many entities the reading has not met."""
        many: int = await self._do(lambda t: datasets.missing(t.connection, scan))
        return many

    async def sweep(self, scan: Scan, after: int, *, marked: bool = False, history: bool = True) -> Swept:
        """Delete some of the entities that were not met."""
        done: Swept = await self._do(
            lambda t: datasets.sweep(t, scan, after, most=_SWEPT, marked=marked, keeps=history)
        )
        return done

    async def delete(self, dataset: str) -> int | None:
        """Remove a dataset."""
        many: int | None = await self._do(lambda t: dataset_removal.unname(t, dataset))
        while await self._do(dataset_removal.clear):
            pass
        return many

    async def compact(
        self, dataset: str, before: float, *, deleted: bool = False, read: int | None = None
    ) -> Compacted:
        """Remove versions that were replaced."""
        versions = gone = 0
        more = True
        while more:
            part, more = await self._do(
                lambda t: dataset_removal.compact(t, dataset, before, deleted=deleted, read=read)
            )
            versions += part.versions
            gone += part.deleted
        return Compacted(versions, gone)
