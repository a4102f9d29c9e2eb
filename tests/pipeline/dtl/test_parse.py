"""Rules as they are written, and what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.config.tree import Lines
from pipeline.dtl.functions import REGISTRY
from pipeline.dtl.parse import parse
from pipeline.dtl.paths import parts_of, variable_of
from pipeline.dtl.signature import signatures


def faults(rules: Any, *, more: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """Code, marked text and message of each problem of a pipe with these rules."""
    named = rules if isinstance(rules, dict) else {"default": rules}
    pipe = {
        "_id": "p",
        "type": "pipe",
        "source": {"type": "empty"},
        "transform": {"type": "dtl", "rules": named},
        "sink": {"type": "null"},
        **(more or {}),
    }
    document = read(json.dumps(pipe, ensure_ascii=False), "p.conf.json")
    problems = compile_project([document], installed(), Lookup()).problems
    return [(one.code, document.text[one.span.start : one.span.end], one.message) for one in problems]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (["ad", "a", 1], ("E801", '"ad"', "unknown transform `ad`")),
        (["add", "a", ["uper", "x"]], ("E801", '"uper"', "unknown function `uper`")),
        (["add", "a", ["b", "c"]], ("E801", '"b"', "unknown function `b`")),
        (["add", "a"], ("E802", '"add"', "`add` takes 2 arguments, not 1")),
        (["filter", 1, 2], ("E802", '"filter"', "`filter` takes 0 or 1 arguments, not 2")),
        (["add", "a", ["and"]], ("E802", '"and"', "`and` takes at least 1 argument, not 0")),
        (["add", "a", ["slice", 1]], ("E802", '"slice"', "`slice` takes 2 to 4 arguments, not 1")),
        (["add", "a", "_."], ("E803", "_", "there is no `_` here")),
        (["add", "a", "_.a"], ("E803", "_", "there is no `_` here")),
        (["add", "a", "_P._S.a"], ("E803", "_P", "there is no `_P` here")),
        (["add", "a", "_X.a"], ("E803", "_X", "there is no variable `_X`")),
        (["add", "a", "_s.a"], ("E803", "_s", "there is no variable `_s`")),
        (["add", "a", ["apply", "x", 1]], ("E804", '"x"', "there is no rule `x`")),
        (["add", "a", ["apply", ["list", "x"], 1]], ("E805", '["list", "x"]', "a rule is called by its name")),
        (["add", "a", [1, 2]], ("E805", "1", "an expression begins with the name of a function")),
        (["add", "a", ["add", "b", 1]], ("E805", '"add"', "`add` is a transform and gives no value")),
        (["upper", "a"], ("E805", '"upper"', "`upper` gives a value and changes no entity")),
        (5, ("E805", "5", "a transform is a list that begins with its name")),
        (["if", True, "a"], ("E805", '"a"', "a transform is a list that begins with its name")),
        (["copy", ["list", 5]], ("E805", '["list", 5]', 'INCLUDE is a pattern, or ["list", …] of patterns')),
        (["copy", ["upper", "a"], 5], ("E805", "5", 'EXCLUDE is a pattern, or ["list", …] of patterns')),
    ],
)
def test_a_fault_is_told_at_its_characters(rule: Any, fault: tuple[str, str, str]) -> None:
    """One problem, that marks what is wrong and nothing else."""
    assert faults([rule]) == [fault]


def test_all_faults_are_told_in_one_go() -> None:
    """One that is wrong does not hide another, in an argument of it, beside it or in another rule."""
    rules = {
        "default": [
            ["add", "a", ["concat", ["uper", "_S.a"], "_s.b", ["lower"]]],
            ["if", "_.", ["ad", "b", 1], [["copy"], ["remove", "x", "y"]]],
            ["add", "c", ["apply", "other", "_S.c"]],
        ],
        "other": [["add", "d", "_P._S.x"], ["add", "e", ["upper"]]],
    }
    codes = [code for code, _, _ in faults(rules)]
    assert codes == ["E801", "E803", "E802", "E803", "E801", "E802", "E802", "E802"]


def test_what_is_right_has_no_faults() -> None:
    """Nested transforms, empty branches, comments with anything in them, texts with dots, aliases in joins."""
    rules = [
        ["comment", ["no such", "_x.y"], {"a": 1}, "_P.a"],
        ["if", "_S.a", []],
        ["if", "_S.a", [[["add", "a", 1]], [["if", True, [["comment"]]]]]],
        ["add", "a", "www.example.com"],
        ["add", "b", "_S"],
        ["add", "c", ["literal", "_X.y"]],
        ["add", "d", ["map", ["filter", ["eq", "_.a", "_S.a"], "_."], "_S.b"]],
        ["add", "e", ["hops", {"datasets": ["d o"], "where": ["eq", "o.x", "_S.y"], "return": ["upper", "o.z"]}]],
        ["add", "f", []],
        ["copy", ["a", "b"]],
    ]
    assert parse({"default": rules}, REGISTRY).faults == []


def test_rules_that_nothing_applies_are_told() -> None:
    """One that is applied by another such one too."""
    rules = {"default": [["add", "a", ["apply", "b", 1]]], "b": [], "c": [["add", "d", ["apply", "d", 1]]], "d": []}
    assert faults(rules) == [
        ("W807", '"c"', "nothing applies the rule `c`"),
        ("W807", '"d"', "nothing applies the rule `d`"),
    ]


def test_references_are_replaced_before_rules_are_read() -> None:
    """An unset one is one fault; where it stands in place of a name, nothing more is said of it."""
    rules = [["add", "a", "$ENV(nothing)"], ["add", "b", ["apply", "$ENV(nothing)", 1]], ["ad", "c", 1]]
    assert [code for code, _, _ in faults(rules)] == ["E301", "E301", "E801"]


def test_a_misspelt_name_can_be_repaired() -> None:
    """The edit puts the name that was meant in its place."""
    pipe = '{"_id": "p", "type": "pipe", "transform": {"type": "dtl", "rules": {"default": [["cpoy", "*"]]}}}'
    document = read(pipe, "p.conf.json")
    (problem,) = [one for one in compile_project([document], installed(), Lookup()).problems if one.code == "E801"]
    (edit,) = problem.fix
    assert pipe[: edit.span.start] + edit.text + pipe[edit.span.end :] == pipe.replace("cpoy", "copy")
    assert Lines(pipe).place(problem.span.start) == (1, pipe.index('"cpoy"') + 1)


@pytest.mark.parametrize(
    ("text", "variable", "parts"),
    [
        ("_S.", "_S", ()),
        ("_.", "_", ()),
        ("_S.a.b", "_S", ("a", "b")),
        ("_S.crm-customer:id", "_S", ("crm-customer:id",)),
        ("_S.a.'john.doe''s'.b", "_S", ("a", "john.doe's", "b")),
        ("_S.'a'b.c", "_S", ("'a'b", "c")),
        ("_S.@id.hr-user:1003", "_S", ("@id", "hr-user:1003")),
        ("o.x", "o", ("x",)),
    ],
)
def test_paths_are_read(text: str, variable: str, parts: tuple[str, ...]) -> None:
    """What stands before the first dot, and the names behind it."""
    assert variable_of(text) == variable
    assert parts_of(text[len(variable) + 1 :]) == parts


@pytest.mark.parametrize("text", ["", "_S", "a", ".a", "1.5", "a b.c", "~rhttp://a.b", "_SS.a"])
def test_other_texts_are_no_paths(text: str) -> None:
    """A variable is one of the language's, or looks like an alias."""
    assert variable_of(text) is None


@pytest.mark.parametrize(
    ("text", "args", "bound"),
    [
        ("A B", [1, 2], [1, 2]),
        ("[A] B", [2], [None, 2]),
        ("[A] B", [1, 2], [1, 2]),
        ("A [B] [C] D", [1, 2, 4], [1, 2, None, 4]),
        ("A*", [], [[]]),
        ("A+", [], None),
        ("A B+", [1, 2, 3], [1, [2, 3]]),
        ("(A B)+ [C]", [1, 2, 3], [[[1, 2]], 3]),
        ("(A B)+ [C]", [1, 2, 3, 4], [[[1, 2], [3, 4]], None]),
        ("A (B C)+ [D]", [1, 2], None),
        ("", [], []),
        ("", [1], None),
    ],
)
def test_arguments_are_dealt_to_parameters(text: str, args: list[int], bound: list[Any] | None) -> None:
    """One that may be left out is there only if there are more than the others need; from the left."""
    assert signatures(text)[0].bound(args) == bound
