"""`mailweir failed`: what did not get through, and what a person does with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mailweir.cli.group import run
from pipeline.clock import MachineClock
from pipeline.failing import Tolerance
from pipeline.state.failures import Failure
from pipeline.state.sqlite.store import SqliteState
from sinks.mail import outbound


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Project:
    """A project with a past."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing failed."""
        self.folder = folder
        self._capsys = capsys
        pipe = {"_id": "people", "type": "pipe", "source": {"type": "embedded", "entities": []}}
        (folder / "people.conf.json").write_text(json.dumps(pipe))

    def __call__(self, *arguments: str) -> Done:
        """Run the command and take what it wrote."""
        with chdir(self.folder):
            code = run(["failed", *arguments])
        return Done(code, *self._capsys.readouterr())

    def document(self, *arguments: str) -> dict[str, Any]:
        """The JSON document that it gives."""
        found: dict[str, Any] = json.loads(self(*arguments, "--json").out)
        return found

    def fails(self, *names: str, tolerance: Tolerance | None = None, pipe: str = "people") -> None:
        """These fail now; by themselves they are dead."""
        failures = [
            Failure(pipe, name, name, "transform", f"no \x1b[2J{name}", json.dumps({"_id": name, "n": 1}), "r1")
            for name in names
        ]

        async def failing() -> None:
            async with SqliteState.open(self.folder / ".mailweir", MachineClock(), outbound.stranded) as state:
                state.failing.put(failures, tolerance or Tolerance())

        asyncio.run(failing())

    def outdates(self, name: str) -> None:
        """A later version of this one goes on."""

        async def going() -> None:
            async with SqliteState.open(self.folder / ".mailweir", MachineClock(), outbound.stranded) as state:
                state.failing.later("people", "transform", [name])

        asyncio.run(going())


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    """Such a project; only this one is ours to end."""
    yield Project(tmp_path, capsys)
    capsys.readouterr()


def test_nothing_failed(project: Project) -> None:
    """Before anything ran there is nothing, and no state is made."""
    assert project() == Done(0, "", "nothing failed\n")
    assert project.document()["entities"] == []
    assert not (project.folder / ".mailweir").exists()


def test_list(project: Project) -> None:
    """The newest first, with why, on lines that a terminal can be shown; chosen by state, entity and number."""
    project.fails("a", "b")
    project.fails("c", tolerance=Tolerance(may_wait=5))
    done = project()
    lines = done.out.splitlines()
    assert [line.split()[2] for line in lines] == ["ENTITY", "c", "b", "a"]
    assert "no ␛[2Ja" in lines[3]
    assert done.err == "1 wait for another try, 2 dead\n"
    assert [one["entity"] for one in project.document("--state", "dead")["entities"]] == ["b", "a"]
    assert [one["entity"] for one in project.document("list", "--entity", "c")["entities"]] == ["c"]
    assert len(project.document("--limit", "1")["entities"]) == 1
    assert project.document("--pipe", "other")["entities"] == []
    assert project.document()["pipes"] == {"people": {"waiting": 1, "dead": 2}}


def test_many(project: Project) -> None:
    """All of them are shown when all are wanted."""
    project.fails(*(f"c{at}" for at in range(1203)))
    assert len(project.document("list", "--limit", "0")["entities"]) == 1203
    assert project("delete", "--pipe", "people", "--yes").out == "1,203 are removed\n"
    assert project().err == "nothing failed\n"


def test_show(project: Project) -> None:
    """With the entity as it was."""
    project.fails("a")
    number = project.document()["entities"][0]["number"]
    done = project("show", str(number))
    assert "dead, failed in 1 run; a transform had no answer to it" in done.out
    assert '"n": 1' in done.out
    assert project.document("show", str(number))["entity"]["value"] == {"_id": "a", "n": 1}
    assert project("show", "99").err == "error: no entity that failed has the number 99  (mailweir failed list)\n"


def test_retry(project: Project) -> None:
    """Dead letters wait for the next run, by number or all of a pipe; what waits already is no dead letter."""
    project.fails("a", "b")
    project.fails("c", tolerance=Tolerance(may_wait=5))
    numbers = {one["entity"]: str(one["number"]) for one in project.document()["entities"]}
    assert project("retry", numbers["a"]).out == "1 is tried by the next run\n"
    assert [one["entity"] for one in project.document("--state", "waiting")["entities"]] == ["c", "a"]
    assert (refused := project("retry", numbers["c"])).code == 2
    assert "no dead letter has the number" in refused.err
    assert project("retry").code == 2
    assert project("retry", "--pipe", "people").code == 2  # nobody can be asked
    assert project("retry", "--pipe", "people", "--yes").out == "1 is tried by the next run\n"
    assert project.document("--state", "dead")["entities"] == []


def test_an_outdated_one_is_not_tried_again(project: Project) -> None:
    """Nobody writes old data over new by a retry: one that is named is refused, of many they are left alone."""
    project.fails("a", "b")
    project.outdates("a")
    numbers = {one["entity"]: str(one["number"]) for one in project.document()["entities"]}
    assert {one["entity"]: (one["state"], one["outdated"]) for one in project.document()["entities"]} == {
        "a": ("dead", True),
        "b": ("dead", False),
    }
    assert " outdated " in project().out
    refused = project("retry", numbers["a"])
    assert refused.code == 2
    assert "a later version of `a` has gone on since" in refused.err
    done = project("retry", "--pipe", "people", "--yes")
    assert (done.code, done.out) == (0, "1 is tried by the next run\n")
    assert "note: 1 is left alone" in done.err


def test_delete(project: Project) -> None:
    """By number, or what was chosen; without either it is wrong use."""
    project.fails("a", "b", "c")
    number = project.document("--entity", "b")["entities"][0]["number"]
    assert project("delete", str(number)).out == "1 is removed\n"
    assert project("delete", "--yes").code == 2
    assert project("delete", "--entity", "a", "--yes").out == "1 is removed\n"
    assert [one["entity"] for one in project.document()["entities"]] == ["c"]


def test_export(project: Project) -> None:
    """A line of JSON for each entity, the oldest first."""
    project.fails("a", "b")
    done = project("export", "--pipe", "people")
    assert [json.loads(line)["_id"] for line in done.out.splitlines()] == ["a", "b"]
    assert done.err == "2 entities written\n"


def test_options_of_a_verb_stand_behind_it(project: Project) -> None:
    """Those before it would be lost."""
    assert "write the options after `retry`" in project("--pipe", "people", "retry", "1").err
