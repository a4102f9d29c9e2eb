"""`mailweir transform`: what a pipe makes of entities."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RULES: dict[str, Any] = {
    "default": [
        ["copy", "*"],
        ["remove", "n"],
        ["add", "numbers", ["range", 0, "_S.n"]],
        ["filter", ["is-not-null", "_T.numbers"]],
        ["if", ["gt", "_S.n", 2], ["create", {"_id": "more"}]],
    ]
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipe with two transforms."""
    entities = [{"_id": "1", "N": 3}, {"_id": "2", "n": 99_999_999}, {"_id": "3", "at": "~t2026-01-01"}]
    pipe = {
        "_id": "shaped",
        "type": "pipe",
        "source": {"type": "embedded", "entities": entities},
        "transform": [{"type": "lower_keys"}, {"type": "dtl", "rules": RULES}],
        "sink": {"type": "null"},
    }
    (tmp_path / "shaped.conf.json").write_text(json.dumps(pipe))
    return tmp_path


def run(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command, with what is piped in, or with nothing."""
    return subprocess.run(
        [sys.executable, "-m", "mailweir", "transform", *arguments],
        cwd=folder,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        check=False,
    )


def test_entities_come_out_as_the_sink_gets_them(project: Path) -> None:
    """A line each; what is filtered out is not among them, and one that fails stops no other."""
    done = run(project, "shaped")
    assert done.returncode == 1
    assert done.stdout == '{"_id": "more"}\n{"_id": "1", "numbers": [0, 1, 2]}\n'
    column = (project / "shaped.conf.json").read_text().index('["range"') + 1
    assert done.stderr == (
        "error: entity `2`: default[2][2]: `range`: more than 1,000,000 values (given [0,99999999,null])\n"
        f" --> shaped.conf.json:1:{column}\n"
    )


def test_a_stage_is_looked_at(project: Path) -> None:
    """Before any transform, or after the last with what was filtered out; types come out as they came in."""
    done = run(project, "shaped", "--id", "3", "--stage", "before-transform")
    assert done.stdout == '{"_id": "3", "at": "~t2026-01-01"}\n'
    done = run(project, "shaped", "--id", "3", "--stage", "after-transform")
    assert done.stdout == '{"_id": "3", "at": "~t2026-01-01", "numbers": null, "_filtered": true}\n'
    assert run(project, "shaped", "--id", "3").stdout == ""


def test_a_trace_tells_what_each_transform_did(project: Path) -> None:
    """Beside the entities, on standard error; up to the one that fails."""
    done = run(project, "shaped", "--trace", given='{"_id": "x", "n": 3, "a": 1}')
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "lower_keys           1 out",
        "default[0]  copy     n, a",
        "default[1]  remove   n removed",
        "default[2]  add      numbers = [0,1,2]",
        "default[3]  filter   kept",
        "default[4]  if       more created",
        "  default[4][2] create   more created",
    ]
    done = run(project, "shaped", "--trace", "--id", "2")
    assert done.stderr.splitlines()[3:5] == [
        "default[2]  add      failed",
        "error: entity `2`: default[2][2]: `range`: more than 1,000,000 values (given [0,99999999,null])",
    ]
    assert "default[3]  filter   filtered out" in run(project, "shaped", "--trace", "--id", "3").stderr


def test_what_is_handed_in_takes_the_place_of_the_source(project: Path) -> None:
    """From standard input or from a file; kept in `testdata` otherwise."""
    (project / "e.json").write_text('[{"_id": "y", "n": 1}]')
    assert run(project, "shaped", given='{"_id": "x", "n": 2}\n').stdout == '{"_id": "x", "numbers": [0, 1]}\n'
    assert run(project, "shaped", "--entity", "e.json").stdout == '{"_id": "y", "numbers": [0]}\n'
    (project / "testdata").mkdir()
    (project / "testdata" / "shaped.json").write_text('[{"_id": "z", "n": 1}]')
    assert run(project, "shaped").stdout == '{"_id": "z", "numbers": [0]}\n'


@pytest.mark.parametrize(
    ("arguments", "given", "code", "words"),
    [
        (["shapd"], None, 2, "error: no pipe 'shapd'. Did you mean 'shaped'?"),
        (["shaped", "--entity", "none.json"], None, 2, "none.json: No such file"),
        (["shaped"], '{"_id": "c1"', 1, "error[E106]: this object is never closed"),
        (["shaped", "--stage", "x"], None, 2, "'x' is not one of"),
    ],
)
def test_wrong_use_is_told(project: Path, arguments: list[str], given: str | None, code: int, words: str) -> None:
    """With the way out, or the place in what was handed in."""
    done = run(project, *arguments, given=given)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_a_faulty_configuration_is_not_used(project: Path) -> None:
    """Exit code 3, and where to look."""
    path = project / "shaped.conf.json"
    path.write_text(path.read_text().replace('"copy"', '"cpoy"'))
    done = run(project, "shaped")
    assert (done.returncode, done.stderr) == (3, "error: the configuration has 1 error. See: mailweir check\n")


def test_what_is_no_entity_is_told(tmp_path: Path) -> None:
    """A function of the project may make anything: what no dataset and no sink could take fails, and nothing else."""
    made = '[{"_id": "1", "a": 1}, {"_id": "1", "a": object()}, {"_id": 5}]'
    (tmp_path / "shapes.py").write_text(f"def odd(entity):\n    return {made}\n")
    pipe = {"_id": "odd", "type": "pipe", "source": {"type": "embedded", "entities": [{"_id": "1"}]}}
    shaped = {**pipe, "transform": {"type": "python", "function": "shapes:odd"}, "sink": {"type": "null"}}
    (tmp_path / "odd.conf.json").write_text(json.dumps(shaped))
    done = run(tmp_path, "odd")
    assert (done.returncode, done.stdout) == (1, '{"_id": "1", "a": 1}\n')
    told = "error: entity `1`: what is made of it is none"
    assert done.stderr.splitlines() == [
        f"{told}: it cannot be stored: Encoding objects of type object is unsupported",
        f"{told}: `_id` is no text",
    ]


def test_an_id_that_nothing_has_is_told(project: Path) -> None:
    """Nothing on standard output could also mean that the entity is filtered out."""
    done = run(project, "shaped", "--id", "none")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: no entity has the `_id` `none`\n")
