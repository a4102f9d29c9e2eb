"""The sink `dataset`, on a real state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import MachineClock
from pipeline.component import Running, Wishes
from pipeline.config.load import Options, load
from pipeline.entity import NI, Entity
from pipeline.receipt import Outcome, Report
from pipeline.run import Failed, FlowError, Mark, Portion, StoppedError
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.store import SqliteState
from sinks.dataset import DatasetSinkConfig, paths
from sinks.dataset_write import DatasetSink, Settings
from sinks.mail import outbound


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """A run with a state."""
    async with SqliteState.open(folder, MachineClock(), outbound.stranded) as state:
        yield Running("run", Wishes(), state, lambda: 0.5, asyncio.Event(), asyncio.Event())


def run(folder: Path, portions: Iterable[Portion], **settings: Any) -> Report:
    """Write portions to the dataset `people`."""

    async def write() -> Report:
        report = Report("p")
        async with running(folder) as run:
            async for group in DatasetSink("p", Settings("people", **settings), run.state.datasets, bool).write(
                portions
            ):
                report.take_all(group)
        return report

    return asyncio.run(write())


def whole(entities: Sequence[Entity], since: str | None = None) -> list[Portion]:
    """A reading of all that a source has."""
    return [
        Portion((), None, 0, 0, Mark.START),
        *(Portion([entity], since, 1, 0) for entity in entities),
        Portion((), None, 0, 0, Mark.END),
    ]


def kept(folder: Path) -> dict[str, Entity]:
    """What the dataset has, without what the state says of it."""
    reads = SqliteReads(folder)
    found = reads.dataset("people")
    assert found is not None
    page = reads.page(found.number, 0, found.last, 10_000)
    reads.close()
    of_the_state = ("_updated", "_previous", "_hash", "_ts")
    return {one["_id"]: {name: one[name] for name in one if name not in of_the_state} for one in page.entities}


def test_new_and_changed_entities_are_written(tmp_path: Path) -> None:
    """The others are skipped; in which order their properties come says nothing."""
    done = run(tmp_path, [Portion([{"_id": "a", "n": 1, "m": 2}, {"_id": "b"}], None, 2, 0)])
    assert done.outcomes == {Outcome.WRITTEN: 2, Outcome.SKIPPED: 0}
    done = run(tmp_path, [Portion([{"m": 2, "n": 1, "_id": "a"}, {"_id": "b", "n": NI("x:y")}], None, 2, 0)])
    assert done.outcomes == {Outcome.WRITTEN: 1, Outcome.SKIPPED: 1}
    assert kept(tmp_path) == {"a": {"_id": "a", "n": 1, "m": 2}, "b": {"_id": "b", "n": NI("x:y")}}
    assert list(kept(tmp_path)["a"]) == ["_id", "n", "m"]


def test_reserved_names_are_not_stored(tmp_path: Path) -> None:
    """But `_id` and `_deleted`, and the latter only if it is true; inside an entity they are names as others."""
    run(tmp_path, [Portion([{"_id": "a", "_updated": 7, "_hash": "x", "_own": 1, "_deleted": False}], None, 1, 0)])
    done = run(tmp_path, [Portion([{"_id": "a", "_ts": 1}, {"_id": "b", "_deleted": True}], None, 2, 0)])
    assert done.outcomes == {Outcome.WRITTEN: 0, Outcome.SKIPPED: 2}
    inner = {"_id": "c", "in": {"_id": "d", "_own": 1}}
    run(tmp_path, [Portion([inner], None, 1, 0)])
    assert kept(tmp_path) == {"a": {"_id": "a"}, "c": inner}


def test_what_a_full_run_no_longer_sees_is_deleted(tmp_path: Path) -> None:
    """It keeps its properties, comes back when it is there again, and is counted apart."""
    run(tmp_path, whole([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]))
    done = run(tmp_path, whole([{"_id": "a", "n": 1}]))
    assert (done.deleted, done.total) == (1, 1)
    assert kept(tmp_path)["b"] == {"_id": "b", "n": 2, "_deleted": True}
    assert run(tmp_path, whole([{"_id": "a", "n": 1}])).deleted == 0
    run(tmp_path, whole([{"_id": "a", "n": 1}, {"_id": "b", "n": 2}]))
    assert kept(tmp_path)["b"] == {"_id": "b", "n": 2}
    assert run(tmp_path, whole([])).deleted == 2


@pytest.mark.parametrize("portions", [[], [Portion((), None, 0, 0, Mark.ELSEWHERE)], whole([])[:1]])
def test_without_the_whole_source_nothing_is_deleted(tmp_path: Path, portions: list[Portion]) -> None:
    """A run that ends before its source does, or leaves something out, cannot know what is there."""
    run(tmp_path, whole([{"_id": "a"}]))
    assert run(tmp_path, portions).deleted == 0
    assert kept(tmp_path) == {"a": {"_id": "a"}}


def test_a_reading_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """What it had met before counts at its end, and what nobody has met is deleted then."""
    run(tmp_path, whole([{"_id": name} for name in "abc"]))
    begins = whole([{"_id": "a"}], "1")[:-1]
    run(tmp_path, begins)
    rest = [Portion((), None, 0, 0, Mark.ON), Portion([{"_id": "c"}], "2", 1, 0), Portion((), None, 0, 0, Mark.END)]
    assert run(tmp_path, rest).deleted == 1
    assert kept(tmp_path) == {"a": {"_id": "a"}, "b": {"_id": "b", "_deleted": True}, "c": {"_id": "c"}}
    assert run(tmp_path, rest).deleted == 0


def test_what_is_refused_stops_nobody_and_nothing_is_deleted_for_it(tmp_path: Path) -> None:
    """Each is told with why; its neighbours are written, and the stored version of it stays."""
    run(tmp_path, whole([{"_id": "a"}, {"_id": "z"}]))
    bad: list[Entity] = [{"n": 1}, {"_id": ""}, {"_id": 7}, {"_id": "\ud800"}, {"_id": "z", "n": "x" * 100}]
    bad.append({"_id": "s", "n": object()})
    done = run(tmp_path, whole([*bad, {"_id": "b"}]), largest=100)
    told = [receipt.detail for receipt in done.shown[Outcome.REJECTED]]
    assert told[:5] == [
        "`_id` is missing",
        "`_id` is empty",
        "`_id` is no text",
        "`_id` has half a character",
        "it has 118 bytes, and `max_entity_bytes_size` is 100",
    ]
    assert told[5].startswith("it cannot be stored: ")
    assert (done.outcomes[Outcome.WRITTEN], done.outcomes[Outcome.REJECTED], done.deleted) == (1, 6, 0)
    assert kept(tmp_path) == {"a": {"_id": "a"}, "z": {"_id": "z"}, "b": {"_id": "b"}}


def test_half_a_character_in_a_value_is_kept(tmp_path: Path) -> None:
    """It comes back as it was."""
    run(tmp_path, [Portion([{"_id": "a", "n": "x\ud800y"}], None, 1, 0)])
    assert kept(tmp_path) == {"a": {"_id": "a", "n": "x\ud800y"}}


def test_filtered_entities_are_deleted(tmp_path: Path) -> None:
    """Those that are in the dataset."""
    run(tmp_path, whole([{"_id": "a"}]))
    out = [Portion([{"_id": "a", "_filtered": True}, {"_id": "b", "_filtered": True}], None, 2, 2)]
    done = run(tmp_path, out)
    assert done.outcomes == {Outcome.WRITTEN: 0, Outcome.SKIPPED: 0}
    assert kept(tmp_path) == {"a": {"_id": "a", "_deleted": True, "_filtered": True}}


def test_the_circuit_breaker_stops_a_run_that_changes_too_much(tmp_path: Path) -> None:
    """Before it writes more, or deletes anything; a dataset that is empty may be filled."""
    people = [{"_id": str(number)} for number in range(10)]
    run(tmp_path, whole(people), most=3)
    with pytest.raises(StoppedError, match="more than 3 entities of the dataset `people`"):
        run(tmp_path, whole([]), most=3)
    with pytest.raises(StoppedError, match="more than 5 entities"):
        run(tmp_path, whole([{**one, "n": 1} for one in people]), most_part=0.5)
    assert kept(tmp_path) == {one["_id"]: one for one in people}
    assert run(tmp_path, whole(people[:-2]), most=3).deleted == 2


def test_what_came_before_a_fault_is_written(tmp_path: Path) -> None:
    """With its position; the fault is told after that."""

    def portions() -> Iterator[Portion]:
        yield Portion([{"_id": "a"}], "1", 1, 0)
        raise FlowError([Failed({"_id": "b"}, "broken")])

    with pytest.raises(FlowError, match="broken"):
        run(tmp_path, portions())
    assert kept(tmp_path) == {"a": {"_id": "a"}}

    async def position() -> str | None:
        async with running(tmp_path) as run:
            return await run.state.offset("p")

    assert asyncio.run(position()) == "1"


def test_settings_come_from_the_configuration(tmp_path: Path) -> None:
    """The dataset is named as the pipe unless another is named; indexes are paths."""

    class Context:
        pipe = "own"
        run: Any = None

    async def build() -> Settings:
        async with running(tmp_path) as run:
            context: Any = Context()
            context.run = run
            declared = {"type": "dataset", "indexes": ["email", "_S.address.zip"], "max_entity_bytes_size": 9}
            return DatasetSinkConfig.model_validate(declared).build(context)._settings

    assert asyncio.run(build()) == Settings("own", (("email",), ("address", "zip")), largest=9)
    assert paths("$ids") == (("$ids",),)
    assert paths(None) == ()


def table(*entities: Entity) -> list[Portion]:
    """A reading of all that a source without positions has, in one portion."""
    return [Portion((), None, 0, 0, Mark.START), Portion(entities, None, 0, 0), Portion((), None, 0, 0, Mark.END)]


def test_an_entity_that_a_source_has_twice_is_written_once(tmp_path: Path) -> None:
    """The last counts; the next reading finds it as it is, and its neighbours too."""
    twice = [{"_id": "a", "n": 1}, {"_id": "b", "n": 1}, {"_id": "a", "n": 2}]
    report = run(tmp_path, table(*twice))
    assert (report.outcomes[Outcome.WRITTEN], report.outcomes[Outcome.SKIPPED]) == (2, 1)
    report = run(tmp_path, table(*twice))
    assert (report.outcomes[Outcome.WRITTEN], report.outcomes[Outcome.SKIPPED], report.deleted) == (0, 3, 0)
    assert {name: one["n"] for name, one in kept(tmp_path).items()} == {"a": 2, "b": 1}


def test_versions_of_a_source_with_positions_are_all_kept(tmp_path: Path) -> None:
    """It is a history, and is not read again."""
    report = run(
        tmp_path, [Portion((), None, 0, 0, Mark.START), Portion([{"_id": "a"}, {"_id": "a", "n": 2}], "2", 2, 0)]
    )
    assert report.outcomes[Outcome.WRITTEN] == 2


@pytest.mark.parametrize("names", [[7], ["email", ["eq", "a"]], ["a..b"], [""]])
def test_an_index_is_of_a_property(tmp_path: Path, names: list[object]) -> None:
    """What is none would be kept by nobody: it is a fault at its place."""
    sink = {"type": "dataset", "indexes": names}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "sink": sink}
    (tmp_path / "p.conf.json").write_text(json.dumps(pipe))
    (fault,) = load(tmp_path, Options(here=tmp_path)).project.errors
    assert (fault.code, fault.path[:3]) == ("E203", ("p", "sink", "indexes"))
    text = (tmp_path / "p.conf.json").read_text()
    assert text[fault.span.start : fault.span.end] == json.dumps(names[-1])
