"""What was handed in, as the source gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.state.datasets import ONCE, Change, Changed, Once
from pipeline.state.facts import Retention
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from pipeline.state.versions import entry_of
from sinks.mail import outbound
from sources.conditional import ConditionalSourceConfig
from sources.dataset_read import DatasetSource
from sources.http_endpoint import HttpEndpointSourceConfig, inbox, receiver


@pytest.fixture
def reads(tmp_path: Path) -> Iterator[SqliteReads]:
    """What reads the datasets of the folder."""
    found = SqliteReads(tmp_path)
    yield found
    found.close()


def put(folder: Path, *entities: dict[str, Any], once: Once | None = None) -> Changed:
    """Keep entities for the pipe `orders`."""

    async def putting() -> Changed:
        made = [one for one in map(entry_of, entities) if not isinstance(one, str)]
        async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
            return await state.datasets.put(Change(inbox("orders"), "orders", [one for one, _ in made], once=once))

    return asyncio.run(putting())


def given(source: DatasetSource, since: str | None) -> tuple[list[Any], str | None]:
    """The numbers of the entities that it gives, and the next position."""
    found = []
    for entities, reached in source.read(since):
        found += [one["n"] for one in entities]
        since = reached
    return found, since


def test_each_version_once(tmp_path: Path, reads: SqliteReads) -> None:
    """All versions come in their order, also before the first run, and the next run gets what came since."""
    put(tmp_path, {"_id": "a", "n": 1}, {"_id": "a", "n": 2}, {"_id": "b", "n": 3})
    put(tmp_path, {"_id": "b", "n": 3}, {"_id": "a", "n": 4})
    source = DatasetSource(reads, inbox("orders"), history=True)
    found, since = given(source, None)
    assert found == [1, 2, 3, 4]
    put(tmp_path, {"_id": "a", "n": 5})
    assert given(source, since)[0] == [5]


def test_what_happens_once(tmp_path: Path, reads: SqliteReads) -> None:
    """A change whose note is there does nothing and says what the note says, until the note is forgotten."""
    once = Once(f"{ONCE}orders/k", "digest")
    assert put(tmp_path, {"_id": "a", "n": 1}, once=once).written == 1
    again = put(tmp_path, {"_id": "a", "n": 2}, once=once._replace(text="other"))
    assert (again.written, again.before) == (0, "digest")

    async def tidied() -> None:
        async with SqliteState.open(tmp_path, MachineClock(), outbound.stranded) as state:
            await state.tidy(Retention())
            assert (await state.notes(ONCE)).keys() == {once.name}
            await state.tidy(Retention(once=0.0))
            assert await state.notes(ONCE) == {}

    asyncio.run(tidied())
    assert put(tmp_path, {"_id": "a", "n": 2}, once=once).written == 1
    assert given(DatasetSource(reads, inbox("orders"), history=True), None)[0] == [1, 2]


def test_one_of_several_sources() -> None:
    """A pipe takes entities if its source, or the chosen one of several, does."""
    own = HttpEndpointSourceConfig(type="http_endpoint")
    both = ConditionalSourceConfig.model_construct(type="conditional", condition="x", alternatives={"x": own})
    assert receiver(own) is own
    assert receiver(both) is own
    assert receiver(None) is None
