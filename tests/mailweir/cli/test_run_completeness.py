"""`mailweir run` where entities wait until what they depend upon is complete, as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.entity import Datetime, Entity
from pipeline.state.sqlite.dataset_look import SqliteReads

Command = Callable[..., Any]

PEOPLE: dict[str, Any] = {"_id": "people", "source": {"type": "embedded", "entities": [{"_id": "1"}, {"_id": "2"}]}}
COPY: dict[str, Any] = {"_id": "copy", "source": {"type": "dataset", "dataset": "people", "completeness": True}}


def project(folder: Path, *pipes: dict[str, Any]) -> None:
    """A project of these pipes."""
    (folder / "all.conf.json").write_text(json.dumps([{"type": "pipe", **pipe} for pipe in pipes]))


def kept(folder: Path, name: str) -> dict[str, Entity]:
    """What a dataset has, without what is deleted."""
    with closing(SqliteReads(folder / ".mailweir")) as reads:
        found = reads.dataset(name)
        entities = [] if found is None else reads.page(found.number, 0, found.last, 100).entities
    return {one["_id"]: one for one in entities if not one.get("_deleted")}


def ran(command: Command, folder: Path, *arguments: str) -> None:
    """Run the pipes."""
    done = command(folder, "run", *arguments)
    assert done.returncode == 0, done.stderr


def test_entities_wait_until_what_is_upstream_is_complete(command: Command, tmp_path: Path) -> None:
    """Those that were stored later than that come with the next run upstream; rules see the time."""
    add = [["add", "at", ["completeness", "copy", "people"]], ["add", "no", ["completeness", "people", "copy"]]]
    last = {
        "_id": "last",
        "source": {"type": "dataset", "dataset": "copy", "completeness": ["people"]},
        "transform": {"type": "dtl", "rules": {"default": add}},
    }
    project(tmp_path, PEOPLE, COPY, last)
    ran(command, tmp_path)
    assert sorted(kept(tmp_path, "copy")) == ["1", "2"]
    # They went into the copy after the people were complete.
    assert kept(tmp_path, "last") == {}
    ran(command, tmp_path, "last")
    assert kept(tmp_path, "last") == {}
    ran(command, tmp_path)
    found = kept(tmp_path, "last")
    assert sorted(found) == ["1", "2"]
    assert all(isinstance(one["at"], Datetime) and one["no"] is None for one in found.values())
    # A reading from the start leaves what waits, and deletes nothing for that.
    more = {**PEOPLE, "source": {"type": "embedded", "entities": [{"_id": "1", "n": 1}, {"_id": "2"}]}}
    project(tmp_path, more, COPY, last)
    ran(command, tmp_path, "--since", "0")
    assert sorted(kept(tmp_path, "last")) == ["1", "2"]
    ran(command, tmp_path)
    assert sorted(kept(tmp_path, "last")) == ["1", "2"]


def test_a_run_that_does_not_come_to_its_end_completes_nothing(command: Command, tmp_path: Path) -> None:
    """What was complete before stays so."""
    broken = {"type": "dtl", "rules": {"default": [["if", ["eq", "_S._id", "3"], ["fail!", "no"]]]}}
    entities = [{"_id": "1"}, {"_id": "3"}]
    people = {"_id": "people", "source": {"type": "embedded", "entities": entities}, "transform": broken}
    project(tmp_path, people, COPY)
    done = command(tmp_path, "run")
    assert done.returncode == 4
    assert sorted(kept(tmp_path, "people")) == ["1"]
    assert kept(tmp_path, "copy") == {}


def test_nothing_is_read_before_a_dataset_is_complete_for_the_first_time(command: Command, tmp_path: Path) -> None:
    """Whatever time that was."""
    other = {"_id": "other", "source": {"type": "embedded", "entities": []}, "pump": {"mode": "off"}}
    first = {"_id": "copy", "source": {"type": "dataset", "dataset": "people", "initial_completeness": ["other"]}}
    project(tmp_path, PEOPLE, other, first)
    ran(command, tmp_path)
    assert kept(tmp_path, "copy") == {}
    ran(command, tmp_path, "other")
    ran(command, tmp_path)
    assert sorted(kept(tmp_path, "copy")) == ["1", "2"]


def test_the_time_may_be_computed(command: Command, tmp_path: Path) -> None:
    """By an expression, which is checked at its character."""

    def copy(expression: Any) -> dict[str, Any]:
        return {**COPY, "source": {**COPY["source"], "completeness": {"expression": expression}}}

    for expression, found in ((["datetime-plus", "day", -7, ["now"]], []), (["now"], ["1", "2"])):
        project(tmp_path, PEOPLE, copy(expression))
        ran(command, tmp_path)
        assert sorted(kept(tmp_path, "copy")) == found
    project(tmp_path, PEOPLE, copy(["datetime-plos", "day", -7, ["now"]]))
    told = command(tmp_path, "check")
    assert "did you mean `datetime-plus`?" in told.stdout + told.stderr
    assert '"datetime-plos"' in told.stdout + told.stderr
