"""Runs of pipes whose entities or sources fail, on real files and a real state."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailweir.pumps import RECORDS, record_of
from mailweir.running import Asked, Done, Run
from pipeline.clock import MachineClock
from pipeline.config.load import Options, load
from pipeline.receipt import Outcome, Report
from pipeline.run import Wanted
from pipeline.schedule import Kind, Record
from pipeline.state.failures import Chosen, Kept
from pipeline.state.sqlite.dataset_look import SqliteReads
from pipeline.state.sqlite.looking import SqliteLook
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound

# An entity whose `n` the file `broken` names fails.
SHAPES = """
from pathlib import Path

def shape(entity):
    broken = (Path(__file__).parent / "broken").read_text().split()
    if str(entity["n"]) in broken:
        raise ValueError(f"n is {entity['n']}")
    return entity
"""


class Place:
    """A project with one pipe, from a file of lines through a function into a dataset."""

    def __init__(self, folder: Path) -> None:
        """Nothing fails yet."""
        self.folder = folder
        self._parts: dict[str, Any] = {}
        (folder / "shapes.py").write_text(SHAPES)
        self.broken()
        self.people(range(6))
        self.pipe()

    def pipe(self, sink: dict[str, Any] | None = None, **pump: Any) -> None:
        """The pipe with this pump."""
        parts = {
            "_id": "people",
            "type": "pipe",
            "source": {"type": "json", "path": "people.jsonl"},
            "transform": {"type": "python", "function": "shapes:shape"},
            "sink": {"type": "dataset", **(sink or {})},
            "pump": pump,
            "batch_size": 2,
            **self._parts,
        }
        (self.folder / "people.conf.json").write_text(json.dumps(parts))

    def broken(self, *numbers: int) -> None:
        """These fail from now on."""
        (self.folder / "broken").write_text(" ".join(map(str, numbers)))

    def people(self, numbers: Any, **more: Any) -> None:
        """More lines in the file."""
        with (self.folder / "people.jsonl").open("a") as file:
            file.writelines(json.dumps({"_id": f"c{n}", "n": n, **more}) + "\n" for n in numbers)

    def parts(self, **parts: Any) -> None:
        """Other parts for the pipe, from the next time on that it is written."""
        self._parts = parts

    def run(self, asked: Asked | None = None) -> Report:
        """Run the pipe."""
        return self.done(asked).reports[0]

    def done(self, asked: Asked | None = None, tell: Callable[[Report], None] = lambda _: None) -> Done:
        """The same with all that came of it."""
        loaded = load(self.folder, Options(here=self.folder))
        assert not loaded.project.errors
        return asyncio.run(Run(loaded, asked or Asked()).go(tell))

    def retry(self, *numbers: int) -> int:
        """Let dead letters wait for the next run: how many do."""

        async def acting() -> int:
            async with SqliteState.open(self.folder / ".mailweir", MachineClock(), outbound.stranded) as state:
                return await state.failing.again(numbers, {})

        return asyncio.run(acting())

    def failures(self) -> list[Kept]:
        """What is on record, the oldest first."""

        async def looking() -> list[Kept]:
            look = SqliteLook.open(self.folder / ".mailweir", MachineClock())
            assert look is not None
            async with look:
                return list(await look.failures(Chosen()))

        return asyncio.run(looking())[::-1]

    def record(self) -> Record:
        """What is on record of its runs."""

        async def looking() -> Record:
            look = SqliteLook.open(self.folder / ".mailweir", MachineClock())
            assert look is not None
            async with look:
                return record_of((await look.notes(RECORDS)).get(f"{RECORDS}people"))

        return asyncio.run(looking())

    def entity(self, name: str) -> dict[str, Any]:
        """One of the dataset, as it is now."""
        reads = SqliteReads(self.folder / ".mailweir")
        found = reads.get("people", name)
        reads.close()
        return found or {}

    def written(self) -> list[str]:
        """The entities of the dataset that are not deleted."""
        reads = SqliteReads(self.folder / ".mailweir")
        found = reads.dataset("people")
        assert found is not None
        entities = reads.page(found.number, 0, found.last, 1000).entities
        reads.close()
        return sorted(one["_id"] for one in entities if not one.get("_deleted"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A project."""
    return Place(tmp_path)


class _KilledError(BaseException):
    """The end of a run that nobody sees coming."""


def _kill_at(place: Place, name: str, n: int) -> Callable[[Report], None]:
    """Ends a run as soon as this entity is in the dataset."""

    def tell(report: Report) -> None:
        if report.read and place.entity(name).get("n") == n:
            raise _KilledError

    return tell


def outcomes(report: Report) -> dict[str, int]:
    """The words that are not 0."""
    return {word.value: many for word, many in report.outcomes.items() if many}


def test_neighbours_go_on(place: Place) -> None:
    """One that fails is rejected, and is a dead letter with where and why; all others are written, once."""
    place.broken(1, 4)
    report = place.run()
    assert (report.read, outcomes(report), report.stopped) == (6, {"written": 4, "rejected": 2}, "")
    assert [one.entity_id for one in report.shown[Outcome.REJECTED]] == ["c1", "c4"]
    assert "ValueError: n is 1" in report.shown[Outcome.REJECTED][0].detail
    first, second = place.failures()
    assert (first.pipe, first.entity_id, first.stage, first.tries, first.dead) == ("people", "c1", "transform", 1, True)
    assert "shapes.py" in first.reason
    assert json.loads(second.entity) == {"_id": "c4", "n": 4}
    assert place.run().read == 0
    assert place.written() == ["c0", "c2", "c3", "c5"]


def test_tried_again(place: Place) -> None:
    """With room for it one that failed is tried by the next runs, before what is new, and then no longer."""
    place.pipe(max_write_errors_in_retry_dataset=5, max_retries_per_entity=3)
    place.broken(1, 4)
    place.run()
    place.broken(4)
    place.people([6])
    report = place.run()
    assert (report.read, outcomes(report)) == (3, {"written": 2, "rejected": 1})
    assert [(one.entity_id, one.tries, one.dead) for one in place.failures()] == [("c4", 2, False)]
    place.broken()
    assert outcomes(place.run()) == {"written": 1}
    assert place.failures() == []
    assert place.run().read == 0
    assert place.written() == [f"c{n}" for n in range(7)]


def test_tries_end(place: Place) -> None:
    """After its tries it is a dead letter that no run touches any more."""
    place.pipe(max_write_errors_in_retry_dataset=5, max_retries_per_entity=2)
    place.broken(1)
    reads = [place.run().read for _ in range(5)]
    assert reads == [6, 1, 1, 0, 0]
    assert [(one.entity_id, one.tries, one.dead) for one in place.failures()] == [("c1", 3, True)]


def test_a_later_version_passes(place: Place) -> None:
    """It takes the place of one that waits, and of a dead letter only if those are tracked."""
    place.pipe(max_write_errors_in_retry_dataset=5)
    place.broken(1)
    place.run()
    place.people([7])
    with (place.folder / "people.jsonl").open("a") as file:
        file.write('{"_id": "c1", "n": 11}\n')
    place.run()
    assert place.failures() == []
    place.pipe()
    place.broken(8)
    place.people([8])
    place.run()
    for tracks, left in ((False, ["c8"]), (True, [])):
        place.pipe(track_dead_letters=tracks)
        with (place.folder / "people.jsonl").open("a") as file:
            file.write('{"_id": "c8", "n": 18}\n')
        place.run()
        assert [one.entity_id for one in place.failures()] == left


def test_a_later_version_fails_too(place: Place) -> None:
    """Then that one waits in its place."""
    place.pipe(max_write_errors_in_retry_dataset=5)
    place.broken(1, 11)
    place.run()
    with (place.folder / "people.jsonl").open("a") as file:
        file.write('{"_id": "c1", "n": 11}\n')
    place.run()
    assert [json.loads(one.entity)["n"] for one in place.failures()] == [11]


def test_the_pump_stops_for_some_in_a_row(place: Place) -> None:
    """What came before is written, the rest is read again by the next run, and nothing of it is lost."""
    place.pipe(max_consecutive_write_errors=2)
    place.broken(0, 2, 3)
    report = place.run()
    assert report.stopped.startswith("2 entities in a row failed; the last is `c3`: ")
    assert outcomes(report) == {"written": 1, "rejected": 3}
    assert place.written() == ["c1"]
    assert [one.entity_id for one in place.failures()] == ["c0"]
    assert place.record().failures == 1
    place.broken()
    assert place.run().stopped == ""
    assert place.written() == [f"c{n}" for n in range(6)]


def test_no_more_may_wait(place: Place) -> None:
    """The run stops before it would pass over an entity that nobody keeps, and goes on from there."""
    place.pipe(max_write_errors_in_retry_dataset=1)
    place.broken(0, 4)
    report = place.run()
    assert "1 entities wait for another try" in report.stopped
    assert "`c4`" in report.stopped
    assert [one.entity_id for one in place.failures()] == ["c0"]
    assert place.written() == ["c1", "c2", "c3"]
    place.broken(4)
    # The room that this makes is for the next run.
    assert "`c4`" in place.run().stopped
    assert place.failures() == []
    assert place.run().stopped == ""
    assert [one.entity_id for one in place.failures()] == ["c4"]
    assert place.written() == ["c0", "c1", "c2", "c3", "c5"]


def test_what_a_sink_cannot_write_is_kept(place: Place) -> None:
    """As it came to the sink; once it can be written, the next run does so, past the transforms."""
    place.pipe({"max_entity_bytes_size": 40}, max_write_errors_in_retry_dataset=5)
    place.people([7], text="x" * 50)
    report = place.run()
    assert outcomes(report) == {"written": 6, "rejected": 1}
    (found,) = place.failures()
    assert (found.stage, found.entity_id, found.dead) == ("sink", "c7", False)
    assert json.loads(found.entity)["text"] == "x" * 50
    place.pipe(max_write_errors_in_retry_dataset=5)
    place.broken(7)
    assert outcomes(place.run()) == {"written": 1}
    assert place.failures() == []


def test_a_failure_deletes_nothing(place: Place) -> None:
    """When all is read again and an entity fails that is in the dataset, it stays there."""
    place.run()
    place.broken(3)
    report = place.run(Asked(since=""))
    assert (outcomes(report), report.deleted) == ({"skipped": 5, "rejected": 1}, 0)
    assert place.written() == [f"c{n}" for n in range(6)]


def test_dead_letters_for_other_pipes(place: Place) -> None:
    """A pipe that reads the dataset of dead letters gets what is dead, in the same run."""
    place.pipe(dead_letter_dataset="graves")
    reader = {"_id": "sad", "type": "pipe", "source": {"type": "dataset", "dataset": "graves"}}
    (place.folder / "sad.conf.json").write_text(json.dumps(reader))
    place.broken(2)
    done = place.done()
    assert [(report.pipe, outcomes(report)) for report in done.reports] == [
        ("people", {"written": 5, "rejected": 1}),
        ("sad", {"written": 1}),
    ]


def test_who_tries_out_keeps_nothing(place: Place) -> None:
    """A run of a few entities leaves no dead letter, no position and no record."""
    place.broken(0)
    report = place.run(Asked(wanted=Wanted(most=2)))
    assert outcomes(report) == {"written": 1, "rejected": 1}
    assert place.failures() == []
    assert place.record() == Record()
    assert place.run().read == 6


def test_entities_without_id(place: Place) -> None:
    """Two that differ are two dead letters."""
    place.pipe()
    config = place.folder / "people.conf.json"
    parts = json.loads(config.read_text())
    entities = [{"n": 98}, {"n": 99}, {"n": 99}]
    config.write_text(json.dumps(parts | {"source": {"type": "embedded", "entities": entities}}))
    place.broken(98, 99)
    report = place.run()
    assert report.outcomes[Outcome.REJECTED] == 3
    assert [json.loads(one.entity) for one in place.failures()] == [{"n": 98}, {"n": 99}]


class _Mends(logging.Handler):
    """Puts a file in its place as soon as a run says that it reads again."""

    def __init__(self, path: Path, times: int) -> None:
        super().__init__(logging.INFO)
        self.path = path
        self.left = times
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Heard it."""
        if "is read again" not in record.getMessage():
            return
        self.heard.append(record.getMessage())
        self.left -= 1
        if not self.left:
            self.path.with_suffix(".away").rename(self.path)


@pytest.fixture
def mends(place: Place) -> Iterator[_Mends]:
    """The file is away until a run tries to read it for the second time after it failed."""
    handler = _Mends(place.folder / "people.jsonl", 2)
    log = logging.getLogger("mailweir.run")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler
    log.removeHandler(handler)
    log.setLevel(before)


def test_a_source_is_read_again(place: Place, mends: _Mends) -> None:
    """As often as the pump says, within the run; then it has failed."""
    away = mends.path.with_suffix(".away")
    mends.path.rename(away)
    place.pipe(max_read_retries=1)
    assert place.run().stopped
    assert place.record().failures == 1
    assert len(mends.heard) == 1
    mends.left = 2
    place.pipe(max_read_retries=3, read_retry_delay=0.01)
    done = place.done()
    assert (done.reports[0].stopped, done.unread) == ("", {})
    assert len(mends.heard) == 3
    assert place.written() == [f"c{n}" for n in range(6)]
    assert place.record().failures == 0


def test_a_source_is_read_again_from_where_it_came_to(place: Place, mends: _Mends) -> None:
    """What was written before it failed is not read once more."""
    good = mends.path.read_text()
    place.pipe({"batch_size": 2}, max_read_retries=3)
    mends.left = 1
    mends.path.write_text(good + '{"_id": "bad"\n')
    mends.path.with_suffix(".away").write_text(good + '{"_id": "c6", "n": 6}\n')
    report = place.run()
    assert report.stopped == ""
    assert (report.read, outcomes(report)) == (7, {"written": 7})


def test_rescans(place: Place) -> None:
    """Every so many runs all of the source is read again; a run that a person told to do so counts too."""
    place.pipe(rescan_run_count=3)
    assert [place.run().read for _ in range(5)] == [6, 0, 0, 6, 0]
    assert place.record()[3:] == (Kind.INCREMENTAL, True, 0, 0, 1, 1, place.record().rescanned, "")
    place.run(Asked(since=""))
    assert [place.run().read for _ in range(3)] == [0, 0, 6]


def test_a_pipe_that_was_changed_reads_all_again(place: Place) -> None:
    """Once, if that is wanted; a pump that was changed changes no entity."""
    place.parts(rescan_when_config_changes=True)
    place.pipe()
    assert [place.run().read for _ in range(2)] == [6, 0]
    place.pipe(schedule_interval=7)
    assert place.run().read == 0
    place.pipe(sink={"indexes": ["n"]})
    assert [place.run().read for _ in range(2)] == [6, 0]


def test_a_partial_rescan_of_what_has_no_times_reads_all(place: Place) -> None:
    """A place in a file cannot go back by seconds, and less than was asked for is never read."""
    place.pipe(partial_rescan_run_count=2, partial_rescan_delta=60)
    assert [place.run().read for _ in range(4)] == [6, 0, 6, 0]


def test_a_dead_letter_gives_way_to_what_came_later(place: Place) -> None:
    """Let wait again after a newer version was written, it is not tried: it would take the place of that."""
    place.broken(1)
    place.run()
    place.people([11], _id="c1")
    assert outcomes(place.run()) == {"written": 1}
    (found,) = place.failures()
    assert (found.dead, found.later) == (True, True)
    assert place.retry(found.number) == 0
    place.broken()
    assert place.run().read == 0
    assert place.entity("c1")["n"] == 11


@pytest.mark.parametrize("stage", ["transform", "sink"])
def test_what_waits_gives_way_when_the_run_that_wrote_a_newer_version_was_killed(place: Place, stage: str) -> None:
    """That there is one is on record before the position moves past it, so the next run writes nothing old."""
    sink: dict[str, Any] = {"batch_size": 1}
    sinks = sink | {"max_entity_bytes_size": 60} if stage == "sink" else sink
    place.pipe(sinks, max_write_errors_in_retry_dataset=5)
    place.people([7], text="x" * 80 if stage == "sink" else "")
    place.broken(*([7] if stage == "transform" else []))
    assert outcomes(place.run())["rejected"] == 1
    place.broken()
    place.people([17], _id="c7")
    place.people(range(20, 30))
    # It ends with what it has written, as after a kill: nobody comes to say what passed.
    with pytest.raises(_KilledError):
        place.done(tell=_kill_at(place, "c7", 17))
    assert place.entity("c7")["n"] == 17
    assert [(one.entity_id, one.later) for one in place.failures()] == [("c7", True)]
    place.pipe(sink, max_write_errors_in_retry_dataset=5)
    assert place.run().stopped == ""
    assert place.entity("c7")["n"] == 17
    assert place.failures() == []


def test_a_newer_version_in_the_same_reading_takes_the_place_of_one_that_failed(place: Place) -> None:
    """In the same portion or a later one, one that passes is the last; one that fails too is what waits."""
    place.pipe(max_write_errors_in_retry_dataset=9)
    place.broken(1, 2, 12)
    place.people([11], _id="c1")
    place.people([10], _id="c9")
    place.people([12], _id="c2")
    place.broken(1, 2, 12, 9)
    with (place.folder / "people.jsonl").open("a") as file:
        file.write('{"_id": "d", "n": 9}\n{"_id": "d", "n": 8}\n')
    report = place.run()
    assert outcomes(report)["rejected"] == 4
    assert [(one.entity_id, json.loads(one.entity)["n"]) for one in place.failures()] == [("c2", 12)]
    place.broken()
    assert outcomes(place.run()) == {"written": 1}
    assert [place.entity(name)["n"] for name in ("c1", "c2", "d")] == [11, 12, 8]


def test_a_run_that_stops_loses_nothing_of_what_it_tried_again(place: Place) -> None:
    """What the sink had taken and did not write waits for the next run as before."""
    place.pipe(max_write_errors_in_retry_dataset=9)
    place.broken(1)
    place.run()
    place.broken()
    place.people(range(20, 30))
    place.pipe({"circuit_breaker_threshold_count": 3}, max_write_errors_in_retry_dataset=9)
    assert "circuit breaker" in place.run().stopped
    assert [one.entity_id for one in place.failures()] == ["c1"]
    place.pipe(max_write_errors_in_retry_dataset=9)
    place.run()
    assert place.failures() == []
    assert "c1" in place.written()


def test_one_that_is_filtered_out_now_is_not_tried_again(place: Place) -> None:
    """Also in front of a sink that never hears of what was filtered out, as of one that left a list."""
    rules = {"type": "dtl", "rules": {"default": [["copy", "*"], ["if", ["eq", "_S.n", 99], ["filter"]]]}}
    place.parts(transform=[{"type": "python", "function": "shapes:shape"}, rules])
    place.pipe({"max_entity_bytes_size": 60}, max_write_errors_in_retry_dataset=5)
    place.people([7], text="x" * 80)
    place.run()
    assert [one.stage for one in place.failures()] == ["sink"]
    place.people([99], _id="c7")
    place.run()
    assert place.failures() == []


def test_a_few_entities_that_were_written_take_the_place_too(place: Place) -> None:
    """Who runs a mended entity with `--id` or from a file need not fear that the dead letter comes back."""
    place.broken(1, 2)
    place.run()
    place.broken(2)
    place.people([11], _id="c1")
    report = place.run(Asked(wanted=Wanted(id="c1")))
    assert outcomes(report) == {"written": 2}
    place.run(Asked(wanted=Wanted(id="c2")))
    assert [(one.entity_id, one.later) for one in place.failures()] == [("c1", True), ("c2", False)]


def test_an_entity_that_a_table_has_twice_far_apart_is_told(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """Between two transactions both versions are written, in each run: somebody has to mend the source."""
    (place.folder / "t.csv").write_text("_id,n\na,1\nb,1\nc,1\na,2\n")
    place.parts(source={"type": "csv", "path": "t.csv", "primary_key": "_id"})
    place.pipe({"batch_size": 1})
    for _ in range(2):
        assert place.run().outcomes[Outcome.WRITTEN] >= 2
        assert place.entity("a")["n"] == "2"
    told = "the source of `people` has `a` more than once, with other values: each run writes all of them"
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [told] * 2
    place.pipe()
    place.run()
    assert place.run().outcomes[Outcome.WRITTEN] == 0
    assert len(caplog.records) == 2


def test_a_position_that_is_stored_seldom_is_stored_at_the_end(place: Place) -> None:
    """The next run reads only what is new; after a kill it reads more again, and finds it as it is."""
    place.parts(checkpoint_interval=100)
    place.pipe({"batch_size": 1})
    place.people(range(6, 700))
    with pytest.raises(_KilledError):
        place.done(tell=_kill_at(place, "c600", 600))
    report = place.run()
    assert report.stopped == ""
    assert report.outcomes[Outcome.WRITTEN] < 200
    assert report.outcomes[Outcome.SKIPPED] > 0
    assert len(place.written()) == 700
    assert place.run().read == 0
