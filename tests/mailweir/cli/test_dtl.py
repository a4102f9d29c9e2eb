"""`mailweir dtl`: expressions tried at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize(
    ("expression", "entity", "result"),
    [
        ('["upper", "a"]', None, '"A"'),
        ('"_S.tags"', '{"tags": ["a", "~:b:c"]}', '["a", "~:b:c"]'),
        ('["add", "n", ["count", "_S.tags"]]', '{"tags": ["a", "b"]}', '{"n": 2}'),
        ('[["copy", "a"], ["discard"]]', '{"a": 1}', "null"),
        ('["if", true, "a", "b"]', None, '"a"'),
        ('"_.a"', '[{"a": 1}, {"a": 2}]', "1\n2"),
        ('"_S.a"', '{"a": 1}\n\n{"a": 2}\n', "1\n2"),
        ('"_S.a"', '{"a": "\x9b\u202e"}', '"\\u009b\\u202e"'),
        ("5", None, "5"),
        ("_S.a", '\ufeff{"a": 1}', "1"),
        (" _S. ", '{"a": 1}', '{"a": 1}'),
    ],
)
def test_a_value_for_each_entity(
    command: Command, tmp_path: Path, expression: str, entity: str | None, result: str
) -> None:
    """An expression gives its value and transforms give the target, as JSON on a line each."""
    (tmp_path / "e.json").write_text(entity or "")
    done = command(tmp_path, "dtl", expression, *(["--entity", "e.json"] if entity else []))
    assert (done.returncode, done.stdout, done.stderr) == (0, result + "\n", "")


@pytest.mark.parametrize(
    ("expression", "code", "words"),
    [
        ('["uper", "_s.a"]', 2, ["error[E801]: unknown function `uper`", "<expression>:1:2", "error[E803]"]),
        ('[["copy"]]', 2, ["error[E802]: `copy` takes 1 or 2 arguments, not 0", "<expression>:1:3"]),
        ('["upper"', 2, ["error[E106]", "<expression>:1:1"]),
        ('["range", 0, 9999999]', 1, ["error: `range`: more than 1,000,000 values (given [0,9999999,null])"]),
        ('["map",\n ["range", 0, "_."], ["list", 9999999]]', 1, ["error: [1]: `range`: more than", "<expression>:2:2"]),
        ('[["add", "a", 1], ["fail!", "no"]]', 1, ["error: [1]: `fail!`: no\n --> <expression>:1:19\n"]),
        ('["fail!", "no"]', 1, ["error: `fail!`: no\n --> <expression>:1:1\n"]),
        ("_X.a", 2, ["error[E803]: there is no variable `_X`", "<expression>:1:2"]),
        (" ", 2, ["error: EXPR is empty"]),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    command: Command, tmp_path: Path, expression: str, code: int, words: list[str]
) -> None:
    """All faults of the expression at once, or where it failed; nothing on standard output."""
    done = command(tmp_path, "dtl", expression)
    assert (done.returncode, done.stdout) == (code, "")
    for each in words:
        assert each in done.stderr


def test_one_entity_that_fails_leaves_the_others(command: Command, tmp_path: Path) -> None:
    """Each is tried; the exit code tells that one failed."""
    (tmp_path / "e.jsonl").write_text('{"n": 1}\n{"n": 9999999}\n{"n": 2}\n')
    done = command(tmp_path, "dtl", '["range", 0, "_S.n"]', "--entity", "e.jsonl")
    assert (done.returncode, done.stdout) == (1, "[0]\n[0, 1]\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give an expression, or --batch"),
        (["1", "--batch", "x"], "give an expression, or --batch"),
        (["--batch", "x", "--entity", "y"], "have their own entities"),
        (["1", "--entity", "none.json"], "none.json: No such file"),
        (["1", "--entity", "broken.json"], "error[E106]"),
        (["1", "--entity", "line.jsonl"], "error[E106]: this object is never closed\n --> line.jsonl:3:1"),
        (["1", "--entity", "second.jsonl"], " --> second.jsonl:2:1"),
        (["1", "--entity", "empty.json"], "error: empty.json is empty"),
    ],
)
def test_wrong_use_is_told(command: Command, tmp_path: Path, arguments: list[str], words: str) -> None:
    """With what is missing, or where the file is broken."""
    (tmp_path / "broken.json").write_text('{"a": ')
    (tmp_path / "line.jsonl").write_text('{"a": 1}\n{"a": 2}\n{"a": \n')
    (tmp_path / "second.jsonl").write_text('{"a": 1}\n{broken\n{"a": 3}\n')
    (tmp_path / "empty.json").write_text("\n")
    done = command(tmp_path, "dtl", *arguments)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_no_repair_is_promised_of_what_is_typed(command: Command, tmp_path: Path) -> None:
    """`check --fix` writes files, and an expression is in none."""
    done = command(tmp_path, "dtl", "['upper', 'a',]")
    assert (done.returncode, "error[E103]" in done.stderr, "--fix" in done.stderr) == (2, True, False)


def test_a_batch_of_cases(command: Command, tmp_path: Path) -> None:
    """A line of answer for each line, in their order; a fault is an answer."""
    cases: list[Any] = [
        {"expr": ["upper", "_S.a"], "source": {"a": "x"}},
        {"expr": ["add", "a", 1], "kind": "transform", "target": {"b": 2}},
        {"expr": ["add", "a", 1], "kind": "transform", "pipe": {"namespaced_identifiers": True, "_id": "crm"}},
        {"expr": ["discard"], "kind": "transform"},
        {"expr": ["nothing"]},
        {"expr": ["ni-x"]},
        {"no": 1},
        5,
        {"expr": 1, "kind": "rule"},
        {"expr": 1, "target": 5},
        {"expr": 1, "pipe": "crm"},
    ]
    lines = [*map(json.dumps, cases), "{", ""]
    (tmp_path / "c.jsonl").write_text("\n".join(lines))
    done = command(tmp_path, "dtl", "--batch", "c.jsonl")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert answers[:4] == [{"result": "X"}, {"result": {"b": 2, "a": 1}}, {"result": {"crm:a": 1}}, {"result": None}]
    assert [list(answer) for answer in answers[4:]] == [["error"]] * 8
    assert answers[-1] == {
        "error": "this line is no JSON: Expecting property name enclosed in double quotes at character 2"
    }
    assert [answer["error"] for answer in answers[-4:-1]] == [
        '`kind` is "expr" or "transform"',
        "`target` is an object",
        "`pipe` is an object",
    ]


def test_the_datasets_of_a_project_are_joined(command: Command, tmp_path: Path) -> None:
    """Each entity of one of them is tried, or what is handed in; from anywhere in the project, or with `-C`."""
    pipes = [
        {"_id": "people", "source": {"type": "embedded", "entities": [{"_id": "1"}, {"_id": "2"}]}},
        {"_id": "orders", "source": {"type": "embedded", "entities": [{"_id": "o1", "of": "1"}]}},
    ]
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    (project / "mailweir.json").write_text("{}")
    (project / "all.conf.json").write_text(json.dumps([{"type": "pipe", **one} for one in pipes]))
    done = command(project, "run")
    assert done.returncode == 0, done.stderr
    join = '["path", "_id", ["hops", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.of"]}]]'
    for folder, more in ((project, ()), (project / "deep", ()), (tmp_path, ("-C", "project"))):
        done = command(folder, *more, "dtl", join, "--dataset", "people")
        assert (done.returncode, done.stdout, done.stderr) == (0, '["o1"]\n[]\n', "")
    done = command(project, "dtl", join, "--entity", "-", given='{"_id": "1"}')
    assert done.stdout == '["o1"]\n'
    done = command(project, "dtl", join.replace("orders o", "order o"), "--dataset", "people")
    assert (done.returncode, done.stdout) == (0, "[]\n[]\n")
    assert done.stderr == "warning: there is no dataset 'order' here to join. Did you mean 'orders'?\n"
    done = command(project, "dtl", join, "--dataset", "peple")
    assert (done.returncode, done.stderr) == (2, "error: no dataset 'peple'. Did you mean 'people'?\n")
    done = command(project, "dtl", join, "--dataset", "people", "--entity", "-")
    assert (done.returncode, done.stderr) == (2, "error: the entities come from --entity or from --dataset\n")
    assert command(tmp_path, "dtl", join, "--entity", "-", given='{"_id": "1"}').stdout == "[]\n"
