"""`mailweir datasets` as people call it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mailweir.serving.presence import pump_lock
from pipeline.state.datasets import Change, Entry
from pipeline.state.facts import Batch, Offset
from pipeline.state.versions import entity_hash, ordered_text

PIPES = """[
  {"_id": "people", "type": "pipe", "source": {"type": "json", "path": "people.jsonl"}},
  {"_id": "shaped", "type": "pipe", "source": {"type": "dataset", "dataset": "people"}}
]
"""


def put(office: Any, *entities: dict[str, Any], name: str = "people") -> None:
    """Let the pipe of a dataset write entities."""
    entries = [Entry(one["_id"], entity_hash(ordered_text(one)), "_deleted" in one, one) for one in entities]
    office.inside(lambda state: state.datasets.put(Change(name, name, entries, Offset(name, "1"))))


@pytest.fixture
def people(office: Any) -> Any:
    """A project with two datasets: a day ago three people came, half an hour ago one changed and one left."""
    (office.folder / "pipes.conf.json").write_text(PIPES)
    office.until(86_400)
    put(office, *({"_id": f"c{number}", "n": number, "at": "~t2020-01-01"} for number in range(3)))
    put(office, {"_id": "x"}, name="shaped")
    office.until(1800)
    put(office, {"_id": "c0", "n": 7}, {"_id": "c1", "_deleted": True})
    return office


def test_where_nothing_was_written_there_is_nothing(office: Any) -> None:
    """Looking makes no state."""
    done = office("datasets")
    assert (done.code, done.out, done.err) == (0, "", "no pipe has written a dataset here yet\n")
    assert office.document("datasets", "list")["datasets"] == []
    done = office("datasets", "entities", "people")
    assert (done.code, done.err) == (2, "error: no dataset 'people': no pipe has written a dataset here yet\n")
    assert not (office.folder / ".mailweir").exists()


@pytest.mark.parametrize("words", [[], ["list"]])
def test_datasets_are_listed(people: Any, words: list[str]) -> None:
    """By name, with who writes them and how many entities they have."""
    done = people("datasets", *words)
    assert (done.code, done.err) == (0, "2 datasets\n")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["DATASET", "WRITTEN", "BY", "ENTITIES", "DELETED", "CHANGED"]
    assert rows[1][:4] == ["people", "people", "2", "1"]
    assert rows[2][:3] == ["shaped", "shaped", "1"]
    found = people.document("datasets", *words)["datasets"]
    assert [(one["id"], one["entities"], one["deleted"], one["last"]) for one in found] == [
        ("people", 2, 1, 5),
        ("shaped", 1, 0, 1),
    ]


def test_all_of_a_dataset_can_be_seen(people: Any) -> None:
    """Who reads it, and what it takes."""
    done = people("datasets", "show", "people")
    facts = {line[:10].strip(): line[10:].strip() for line in done.out.splitlines()}
    assert (facts["Written by"], facts["Read by"]) == ("people", "shaped")
    assert (facts["Entities"], facts["Versions"]) == ("2, and 1 deleted", "2 that were replaced")
    assert facts["Changes"].startswith("5, the latest ")
    found = people.document("datasets", "show", "people")["dataset"]
    assert (found["versions"], found["indexes"], found["readers"]) == (2, [], ["shaped"])


def test_a_name_that_is_not_there_is_told(people: Any) -> None:
    """With the one that is near."""
    for verb in ("show", "entities", "delete", "compact"):
        done = people("datasets", verb, "peple")
        assert (done.code, done.err) == (2, "error: no dataset 'peple'. Did you mean 'people'?\n")


def entities(done: Any) -> list[tuple[Any, ...]]:
    """What was written: name, number and whether it is deleted."""
    found = [json.loads(line) for line in done.out.splitlines()]
    return [(one["_id"], one.get("n"), "_deleted" in one) for one in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [("c2", 2, False), ("c0", 7, False)]),
        (["--deleted"], [("c2", 2, False), ("c0", 7, False), ("c1", None, True)]),
        (["--since", "3"], [("c0", 7, False)]),
        (["--limit", "1"], [("c2", 2, False)]),
        (["--id", "c0"], [("c0", 7, False)]),
        (["--id", "c1", "--versions"], [("c1", None, True), ("c1", 1, False)]),
    ],
)
def test_entities_are_written_as_lines(people: Any, words: list[str], expected: list[Any]) -> None:
    """In the order of changes; typed values as they stand in JSON."""
    done = people("datasets", "entities", "people", *words)
    assert done.code == 0
    assert entities(done) == expected


def test_how_many_entities_there_are_more_is_said(people: Any) -> None:
    """On standard error, so that what is written is only entities."""
    assert people("datasets", "entities", "people", "--limit", "1").err == "1 of 2 written: --limit 0 writes all\n"
    assert people("datasets", "entities", "people").err == "2 written\n"
    assert "~t2020-01-01" in people("datasets", "entities", "people", "--id", "c2").out


def test_an_entity_that_is_not_there_is_wrong_use(people: Any) -> None:
    """As are versions of nobody."""
    done = people("datasets", "entities", "people", "--id", "nobody")
    assert (done.code, done.err) == (2, "error: no entity 'nobody' in the dataset 'people'\n")
    assert people("datasets", "entities", "people", "--versions").code == 2


def test_a_dataset_is_deleted_after_a_question(people: Any) -> None:
    """Without a terminal `--yes` must be there; then its pipe begins anew."""
    done = people("datasets", "delete", "people")
    assert (done.code, done.err) == (2, "error: 1 dataset with 2 entities would be deleted; add --yes\n")
    done = people("datasets", "delete", "people", "shaped", "--yes")
    assert (done.code, done.err) == (0, "2 datasets deleted\n")
    assert people("datasets").err == "no pipe has written a dataset here yet\n"
    assert people.inside(lambda state: state.offset("people")) is None


def test_a_dataset_is_not_deleted_under_a_run(people: Any) -> None:
    """What the run writes behind would be all that is there, with a position that says that all of it is."""
    lock = pump_lock(people.folder / ".mailweir", "people")
    assert lock is not None
    try:
        done = people("datasets", "delete", "people", "shaped", "--yes")
    finally:
        lock.release()
    assert done.code == 3
    assert "`people` is being run by another process: nothing was deleted" in done.err
    assert [one["id"] for one in people.document("datasets")["datasets"]] == ["people", "shaped"]
    assert people("datasets", "delete", "people", "--yes").code == 0


def test_old_versions_are_cleared_away(people: Any) -> None:
    """Those that are old enough, of one dataset or of all; deleted entities only if that is wanted."""
    assert people("datasets", "compact", "--older", "2d").err == "0 versions removed\n"
    found = people.document("datasets", "compact", "--older", "1h", "--deleted")["compacted"]
    assert found == [{"id": "people", "versions": 2, "deleted": 0}, {"id": "shaped", "versions": 0, "deleted": 0}]
    done = people("datasets", "compact", "people", "--older", "5min", "--deleted")
    assert done.err == "0 versions and 1 deleted entity removed\n"
    assert people("datasets", "compact", "--older", "soon").code == 2


@pytest.mark.parametrize(
    ("source", "dataset"),
    [
        ({"type": "dataset", "dataset": "people", "include_previous_versions": True}, "people"),
        ({"type": "http_endpoint"}, "system:received:reader"),
    ],
)
def test_versions_that_somebody_is_to_read_stay(office: Any, source: dict[str, Any], dataset: str) -> None:
    """Until he has: a pipe that is paused finds each version that was handed in, however old it has become."""
    reader = {"_id": "reader", "type": "pipe", "source": source, "sink": {"type": "null"}}
    (office.folder / "pipes.conf.json").write_text(json.dumps([reader]))
    for at in range(4):
        office.until(86_400 - at)
        put(office, {"_id": "c0", "n": at}, name=dataset)

    def compacted() -> tuple[int, str]:
        done = office("datasets", "compact", "--older", "1h")
        return int(done.err.split()[0]), done.err

    number = office.document("datasets", "show", dataset).get("number", 1)
    for position, removed in (("2", 2), ("", 0), ("4", 1)):
        offset = Offset("reader", f"{number}.{position}" if position else f"{number}.0")
        office.inside(lambda state, offset=offset: state.admit(Batch(offset=offset)))
        many, said = compacted()
        assert many == removed
        assert ("note: what reader has not read yet stays" in said) is (position != "4")
