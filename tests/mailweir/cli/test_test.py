"""`mailweir test`, as a process of its own: what it tells, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

Command = Callable[..., Any]
PIPE: dict[str, Any] = {
    "_id": "people",
    "type": "pipe",
    "source": {"type": "embedded", "entities": [{"_id": "a", "name": "Ann"}, {"_id": "b", "name": "Bo"}]},
    "sink": {"type": "null"},
}
GOOD = {"name": "good", "given": [{"_id": "a", "x": 1}], "expect": [{"_id": "a"}]}
BAD = {"name": "bad", "given": [{"_id": "a", "x": 1}], "expect": [{"_id": "a", "x": 2}]}


def project(folder: Path, **tests: Any) -> Path:
    """A project with a pipe, and these tests of it."""
    for name in ("pipes", "expected"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "pipes" / "people.conf.json").write_text(json.dumps(PIPE))
    for name, content in tests.items():
        (folder / "expected" / f"{name}.test.json").write_text(json.dumps(content))
    return folder


def cases(*found: Any) -> Any:
    """A test file of these cases."""
    return {"pipe": "people", "cases": list(found)}


def test_what_differs_is_told(command: Command, tmp_path: Path) -> None:
    """One line a file, the place of the case, only what differs, and a summary."""
    done = command(project(tmp_path, one=cases(GOOD, BAD), two=cases(GOOD)), "test")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[:-1] == [
        "expected/one.test.json  1 passed, 1 failed",
        "expected/two.test.json  1 passed",
        "",
        "FAILED expected/one.test.json:1 people: bad",
        "  1 difference in pipe `people`, stage `sink`    - expected  + actual",
        "",
        "    a.x",
        "      - 2",
        "      + 1",
        "",
    ]
    assert lines[-1].startswith("1 pipe, 3 tests: 2 passed, 1 failed in ")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ["good", "bad", "good"]),
        (("-k", "TWO good"), ["good"]),
        (("-k", "nothing"), []),
        (("-x",), ["good", "bad"]),
        (("expected/two.test.json",), ["good"]),
        (("expected/one.test.json::bad",), ["bad"]),
        (("pipes",), []),
    ],
)
def test_which_tests_are_run(command: Command, tmp_path: Path, arguments: tuple[str, ...], names: list[str]) -> None:
    """By words, by files, by the name of one, or up to the first that fails; none at all is no success."""
    done = command(project(tmp_path, one=cases(GOOD, BAD), two=cases(GOOD)), "test", "--json", *arguments)
    document = json.loads(done.stdout)
    assert [one["name"] for one in document["tests"]] == names
    assert done.returncode == document["exit_code"] == (1 if "bad" in names else 0 if names else 5)
    assert document["passed"] == names.count("good")


def test_a_faulty_test_is_no_skipped_test(command: Command, tmp_path: Path) -> None:
    """It is told at its characters, counts as an error, and the others are run."""
    done = command(project(tmp_path, one={"pip": "x", "given": 3}, two=cases(GOOD)), "test")
    assert done.returncode == 1
    assert "error[E701]: unknown property `pip` in a test" in done.stderr
    assert "1 passed, 1 error in" in done.stdout


def test_update_writes_what_came(command: Command, tmp_path: Path) -> None:
    """Only files of tests that fail; it says how many lines change, and the next run passes."""
    project(tmp_path, people={}, other={"pipe": "people"}, inline=cases(BAD))
    (tmp_path / "expected" / "other.json").write_text('[{"_id": "a", "name": "Ann"}, {"_id": "b", "name": "Bo"}]')
    assert command(tmp_path, "test", "-k", "people.json").returncode == 1
    done = command(tmp_path, "test", "--update")
    assert "expected/people.json  +10 -0" in done.stdout
    assert "other.json  +" not in done.stdout
    assert (tmp_path / "expected" / "people.json").read_text() == (
        '[\n  {\n    "_id": "a",\n    "name": "Ann"\n  },\n  {\n    "_id": "b",\n    "name": "Bo"\n  }\n]\n'
    )
    assert command(tmp_path, "test", "-k", "people.json").returncode == 0
    (tmp_path / "expected" / "people.json").write_text("[]")
    (tmp_path / "expected" / "other.json").unlink()
    command(tmp_path, "test", "--update-new-only")
    assert (tmp_path / "expected" / "people.json").read_text() == "[]"
    (tmp_path / "expected" / "people.json").write_text('[{"_id": "a", "name": "Anne"}, {"_id": "b", "name": "Bo"}]')
    done = command(tmp_path, "test", "--update", "expected/people.json")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:-2] == [
        "expected/people.json: 1 of 2 entities as expected, 1 differs    - expected  + actual",
        "",
        "  _id a",
        "      name",
        '    -   "Anne"',
        '    +   "Ann"',
        "",
    ]
    assert "1 test: 1 passed" in done.stdout


WRITING = [
    ("--update",),
    ("--update-new-only",),
    ("--new", "people"),
    ("--review",),
    ("--prune",),
    ("--from-embedded",),
]


def folder_with_all_to_write(folder: Path, *arguments: str) -> Path:
    """A project in which each of these options that write or delete finds something."""
    project(folder, one=cases(GOOD), other={"pipe": "people"})
    if arguments != ("--prune",):
        # A test without its file could name any: nothing is deleted beside it.
        project(folder, missing={"pipe": "people"})
    (folder / "expected" / "other.json").write_text('[{"_id": "a", "name": "Anne"}]')
    (folder / "expected" / "old.json").write_text("[]")
    source = {"type": "conditional", "condition": "test", "alternatives": {"test": PIPE["source"]}}
    (folder / "pipes" / "people.conf.json").write_text(json.dumps({**PIPE, "source": source}))
    return folder


def every_file(folder: Path) -> dict[str, bytes]:
    """All files of a project, with what is in them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("arguments", WRITING)
def test_nothing_is_written_where_nobody_looks(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Where `CI` is set it is wrong use, and nothing changes; where it is no they do what they are for."""
    before = every_file(folder_with_all_to_write(tmp_path, *arguments))
    done = command(tmp_path, "test", *arguments, CI="1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: expected files are written by a person: `CI` is set\n"
    assert every_file(tmp_path) == before
    if arguments != ("--review",):
        done = command(tmp_path, "test", *arguments, CI="false")
        assert every_file(tmp_path) != before, done.stderr


def test_a_review_is_refused_at_a_terminal_too(tmp_path: Path) -> None:
    """Where `CI` is set somebody who types is asked nothing."""
    before = every_file(folder_with_all_to_write(tmp_path))
    code, out = reviewed(tmp_path, "a\n", CI="true")
    assert (code, out) == (2, "error: expected files are written by a person: `CI` is set\n")
    assert every_file(tmp_path) == before


def test_files_as_the_tool_of_sesam_writes_them(command: Command, tmp_path: Path) -> None:
    """On demand without `<`, `>` and `&`; by itself with them. Read are both, and both say the same."""
    name = "<b>Ann & Bo</b> \u2028 \\u003c é"
    project(tmp_path, people={}, one={"pipe": "people", "stage": "source"})
    source = {"type": "embedded", "entities": [{"_id": "a", "name": name, "x<y": 1}]}
    (tmp_path / "pipes" / "people.conf.json").write_text(json.dumps({**PIPE, "source": source}))
    path = tmp_path / "expected" / "people.json"
    assert command(tmp_path, "test", "--update", "--sesam-escape").returncode == 0
    escaped = path.read_bytes()
    assert escaped.decode() == (
        '[\n  {\n    "_id": "a",\n    "name": "\\u003cb\\u003eAnn \\u0026 Bo\\u003c/b\\u003e \\u2028 \\\\u003c é",\n'
        '    "x\\u003cy": 1\n  }\n]\n'
    )
    assert command(tmp_path, "test").returncode == 0
    path.unlink()
    assert command(tmp_path, "test", "--update").returncode == 0
    assert b"<b>Ann & Bo</b>" in path.read_bytes()
    assert json.loads(path.read_bytes()) == json.loads(escaped)
    path.write_text("[]")
    assert reviewed(tmp_path, "a\n", "--sesam-escape")[0] == 0
    assert path.read_bytes() == escaped
    (tmp_path / "expected" / "people.test.json").unlink()
    path.unlink()
    assert command(tmp_path, "test", "--new", "people", "--sesam-escape").returncode == 0
    assert path.read_bytes() == escaped
    done = command(tmp_path, "test", "--sesam-escape")
    assert (done.returncode, done.stderr.startswith("error: --sesam-escape says how files are written")) == (2, True)


def test_only_one(command: Command, tmp_path: Path) -> None:
    """It leaves the others out, for a person; where `CI` is set it is refused."""
    project(tmp_path, one=cases(BAD, {**GOOD, "only": "I look at this one"}))
    assert "1 test: 1 passed" in command(tmp_path, "test").stdout
    assert command(tmp_path, "test", CI="true").returncode == 2


def test_who_is_left_out_is_told(command: Command, tmp_path: Path) -> None:
    """How many tests are not run, for one that is to be run alone; what is quiet is quiet."""
    project(tmp_path, one=cases(BAD, {**GOOD, "only": "I look at this one"}))
    assert command(tmp_path, "test").stderr == "note: 1 test left out, as another one says `only`\n"
    assert command(tmp_path, "test", "-q").stderr == ""


def test_a_test_that_is_not_there(command: Command, tmp_path: Path) -> None:
    """By its name it is wrong use, with what was meant; of words that no name has it is said how many there are."""
    project(tmp_path, one=cases(GOOD, BAD))
    done = command(tmp_path, "test", "expected/one.test.json::god")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "error: no test 'expected/one.test.json::god'. Did you mean 'expected/one.test.json::"
    )
    assert command(tmp_path, "test", str(tmp_path / "expected" / "one.test.json") + "::good").returncode == 0
    done = command(tmp_path, "test", "-k", "nothing")
    assert (done.returncode, done.stderr) == (5, "error: none of 2 tests is asked for\n")


def test_a_file_of_what_is_expected(command: Command, tmp_path: Path) -> None:
    """Only tests that expect it are run, and told of where they have faults."""
    project(tmp_path, people={}, bad={"pip": "people"}, also={"pip": "people", "file": "people.json"})
    assert command(tmp_path, "test", "--update", "-k", "people.json").returncode == 1
    done = command(tmp_path, "test", "expected/people.json")
    assert done.stdout.splitlines()[:2] == ["expected/people.test.json  1 passed", "expected/also.test.json    1 error"]
    assert "bad.test.json" not in done.stdout + done.stderr


def test_update_prints_what_a_case_would_expect(command: Command, tmp_path: Path) -> None:
    """A case is never written: the value is there to be pasted, for programs too."""
    project(tmp_path, one=cases(BAD))
    assert "paste it" not in command(tmp_path, "test").stdout
    done = command(tmp_path, "test", "--update")
    assert done.returncode == 1
    lines = [line.strip() for line in done.stdout.splitlines()]
    pasted = "".join(
        lines[lines.index("paste it as `expect`:") + 1 : lines.index("", lines.index("paste it as `expect`:"))]
    )
    (one,) = json.loads(command(tmp_path, "test", "--update", "--json").stdout)["tests"]
    assert json.loads(pasted) == one["expect"]
    project(tmp_path, one=cases({**BAD, "expect": one["expect"]}))
    assert command(tmp_path, "test").returncode == 0


def test_a_report_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    """It is wrong use, and no fault of ours."""
    done = command(project(tmp_path, one=cases(GOOD)), "test", "--junit", "no/where.xml")
    assert (done.returncode, done.stderr) == (
        2,
        "error: --junit: cannot write 'no/where.xml': no such file or directory\n",
    )


def test_a_new_test(command: Command, tmp_path: Path) -> None:
    """It holds what comes now, passes, and is told by `check` until somebody has read it."""
    done = command(project(tmp_path), "test", "--new", "people")
    assert done.returncode == 0, done.stderr
    assert "expected/people.json  +10 -0" in done.stdout
    assert "W708" in command(tmp_path, "check", "--format", "concise").stdout
    assert command(tmp_path, "test").returncode == 0
    again = command(tmp_path, "test", "--new", "people")
    assert (again.returncode, again.stderr) == (2, "error: expected/people.test.json is there; nothing was written\n")
    other = command(tmp_path, "test", "--new", "peple")
    assert "Did you mean 'people'?" in other.stderr


def test_a_report_for_machines(command: Command, tmp_path: Path) -> None:
    """JUnit's XML, with every test, what is wrong, and files that cannot be read."""
    project(tmp_path, one=cases(GOOD, BAD, {**GOOD, "name": "later \u0007 <&>", "skip": "not now"}), two=[])
    command(tmp_path, "test", "--junit", "report.xml")
    root = ET.fromstring((tmp_path / "report.xml").read_text())
    assert dict(root.attrib) == {
        "name": "mailweir test",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    states = {one.attrib["name"]: [child.tag for child in one] for one in root.iter("testcase")}
    assert states == {"good": [], "bad": ["failure"], "later � <&>": ["skipped"], "(file)": ["error"]}


def test_projects_below_this_one(command: Command, tmp_path: Path) -> None:
    """One run has the tests of all of them."""
    for name in ("a", "b"):
        (project(tmp_path / name, one=cases(GOOD)) / "mailweir.json").write_text("{}")
    (tmp_path / "mailweir.json").write_text("{}")
    done = command(tmp_path, "test", "--json")
    assert [one["id"] for one in json.loads(done.stdout)["tests"]] == [
        "a/expected/one.test.json::good",
        "b/expected/one.test.json::good",
    ]


def test_nothing_is_left_in_the_project(command: Command, tmp_path: Path) -> None:
    """A test keeps what it needs elsewhere."""
    before = sorted(path.name for path in project(tmp_path, one=cases(GOOD)).iterdir())
    command(tmp_path, "test")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_thousand_cases(command: Command, tmp_path: Path) -> None:
    """They are run in one go, with the results of each."""
    many = [{**GOOD, "name": f"case {number}", "given": [{"_id": "a", "x": number}]} for number in range(1000)]
    done = command(project(tmp_path, one=cases(*many)), "test")
    assert done.stdout.startswith("expected/one.test.json  1000 passed\n")


def test_pipes_without_a_test(command: Command, tmp_path: Path) -> None:
    """They are listed with what makes a test of them, when that is asked for."""
    project(tmp_path, one=cases(GOOD))
    other = {**PIPE, "_id": "others"}
    (tmp_path / "pipes" / "others.conf.json").write_text(json.dumps(other))
    assert command(tmp_path, "test").returncode == 0
    done = command(tmp_path, "test", "--missing")
    assert done.returncode == 1
    assert "warning[W705]: no test is for the pipe `others`\n --> pipes/others.conf.json:1:" in done.stderr
    assert "mailweir test --new others writes one" in done.stderr
    assert json.loads(command(tmp_path, "test", "--missing", "--json").stdout)["missing"] == ["others"]
    (tmp_path / "mailweir.json").write_text('{"ignore": {"W705": "the second one goes next week"}}')
    assert command(tmp_path, "test", "--missing").returncode == 0


def test_coverage_has_to_be_enough(command: Command, tmp_path: Path) -> None:
    """What no test reaches is told, and too little of it is an exit of 1; both stand in the document."""
    rules = {"default": [["copy", "*"], ["filter", ["neq", "_S.x", 2]]]}
    pipe = {**PIPE, "transform": {"type": "dtl", "rules": rules}}
    folder = project(tmp_path, one=cases(GOOD))
    (folder / "pipes" / "people.conf.json").write_text(json.dumps(pipe))
    done = command(folder, "test", "--coverage", "--fail-under", "66")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[3:] == [
        "coverage  rules         templates     outcomes",
        "people    2/3   66%     -             -",
        "  pipes/people.conf.json:1 default[1] filter: nothing was ever dropped",
        "all       2 of 3, 66%",
    ]
    done = command(folder, "test", "--fail-under", "67")
    assert (done.returncode, done.stderr) == (1, "error: coverage is 66%, under the 67% it has to be\n")
    assert "coverage" not in done.stdout
    report = json.loads(command(folder, "test", "--fail-under", "67", "--json").stdout)
    assert (report["ok"], report["exit_code"], report["failed"], report["coverage"]["of"]) == (False, 1, 0, 3)
    assert command(folder, "test", "--fail-under", "101").returncode == 2


def reviewed(folder: Path, typed: str, *arguments: str, **more: str) -> tuple[int, str]:
    """What `mailweir test --review` answers to somebody at a terminal who types this."""
    ours, theirs = pty.openpty()
    environ = {**{name: value for name, value in os.environ.items() if name != "CI"}, **more}
    with subprocess.Popen(
        [sys.executable, "-m", "mailweir", "test", "--review", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=environ,
    ) as asking:
        os.close(theirs)
        os.write(ours, typed.encode())
        out, _ = asking.communicate(timeout=300)
    os.close(ours)
    return asking.returncode, out


PEOPLE = [{"_id": "a", "name": "Anne"}, {"_id": "c", "name": "Cy"}]


@pytest.mark.parametrize(
    ("typed", "code", "left", "told"),
    [
        ("a\na\na\n", 0, [{"_id": "a", "name": "Ann"}, {"_id": "b", "name": "Bo"}], "3 accepted, 0 rejected, 0 left"),
        ("r\n\na\n", 1, [{"_id": "a", "name": "Anne"}], "1 accepted, 1 rejected, 1 left"),
        ("d\nx\na\nq\n", 1, [{"_id": "a", "name": "Ann"}, PEOPLE[1]], "1 accepted, 0 rejected, 2 left"),
        ("q\n", 1, PEOPLE, "0 accepted, 0 rejected, 3 left"),
    ],
)
def test_a_person_looks_at_each_difference(tmp_path: Path, typed: str, code: int, left: Any, told: str) -> None:
    """What was accepted is expected from now on, entity by entity; the rest of the file stays as it was."""
    folder = project(tmp_path, people={})
    path = folder / "expected" / "people.json"
    path.write_text(json.dumps(PEOPLE))
    done, out = reviewed(folder, typed)
    assert (done, json.loads(path.read_text())) == (code, left), out
    assert told in out.splitlines()
    assert "expected/people.test.json:1 people: people.json  1 of 3" in out.splitlines()


def test_a_case_is_shown_and_not_written(tmp_path: Path) -> None:
    """It holds itself what it expects; an editor opens its file."""
    folder = project(tmp_path, one=cases(BAD))
    done, out = reviewed(folder, "a\ns\n")
    assert done == 1
    assert "a case holds what it expects itself: edit the file" in out
    editor = folder / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i s/2/1/ "$1"\n')
    editor.chmod(0o755)
    os.environ["EDITOR"] = str(editor)
    try:
        reviewed(folder, "e\n")
    finally:
        del os.environ["EDITOR"]
    assert json.loads((folder / "expected" / "one.test.json").read_text())["cases"][0]["expect"] == [
        {"_id": "a", "x": 1}
    ]


def test_a_review_needs_somebody(command: Command, tmp_path: Path) -> None:
    """Without a terminal nobody is asked, and nothing is written."""
    folder = project(tmp_path, people={})
    done = command(folder, "test", "--review")
    assert (done.returncode, done.stderr.startswith("error: --review asks a person at a terminal")) == (2, True)
    assert not (folder / "expected" / "people.json").exists()


def test_files_that_no_test_names(command: Command, tmp_path: Path) -> None:
    """They are told after an update, and deleted when that is asked for; what a test names in any way stays."""
    folder = project(tmp_path, people={}, one=cases({**GOOD, "given": "given.json"}))
    (folder / "expected" / "given.json").write_text('[{"_id": "a", "x": 1}]')
    old = folder / "expected" / "old.json"
    old.write_text("[]")
    done = command(folder, "test", "--update")
    assert "expected/old.json  no test names it: --prune deletes it" in done.stdout.splitlines()
    assert old.exists()
    done = command(folder, "test", "--prune")
    assert (done.returncode, "expected/old.json  deleted" in done.stdout.splitlines()) == (0, True)
    assert sorted(path.name for path in (folder / "expected").iterdir()) == [
        "given.json",
        "one.test.json",
        "people.json",
        "people.test.json",
    ]
    old.write_text("[]")
    (folder / "expected" / "one.test.json").write_text('{"pip": 1}')
    assert command(folder, "test", "--prune").returncode == 1
    assert old.exists()


def test_made_up_entities_move_to_files(command: Command, tmp_path: Path) -> None:
    """Those of `test` alternatives; what is there already stays, and tests go on as before."""
    folder = project(tmp_path, people={"cases": [{"name": "all", "expect": {"count": 2}}]})
    embedded = PIPE["source"]
    source = {"type": "conditional", "condition": "prod", "alternatives": {"prod": {"type": "empty"}, "test": embedded}}
    (folder / "pipes" / "people.conf.json").write_text(json.dumps({**PIPE, "source": source}))
    done = command(folder, "test", "--from-embedded")
    assert (done.returncode, done.stdout) == (0, "testdata/people.json  2 entities\n")
    assert json.loads((folder / "testdata" / "people.json").read_text()) == embedded["entities"]
    assert command(folder, "test").returncode == 0
    done = command(folder, "test", "--from-embedded")
    assert done.stdout == "testdata/people.json  is there, and stays\n"
    assert json.loads(command(folder, "test", "--from-embedded", "--json").stdout)["unchanged"] == [
        "testdata/people.json"
    ]
