"""Functions of the project as declared: what `check` says of them without running anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.cli.checking import check_paths
from pipeline.config.installed import installed
from pipeline.config.load import Options
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read
from pipeline.config.tree import Document
from pipeline.errors import Problem
from pipeline.transforms.python import split


def pipe(function: object) -> str:
    """A pipe with that function."""
    declared: dict[str, Any] = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "sink": {"type": "null"}}
    return json.dumps(declared | {"transform": {"type": "python", "function": function}})


def problems(function: str, text: str | None) -> list[Problem]:
    """What is wrong with that function of a `shapes.py` of this text."""
    modules = {} if text is None else {"shapes": Document("shapes.py", text, None, [])}
    document = read(pipe(function), "p.conf.json")
    return list(compile_project([document], installed(), Lookup(), modules=modules).problems)


def marked(problem: Problem, function: str) -> str:
    """The characters that a problem of the pipe marks."""
    return pipe(function)[problem.span.start : problem.span.end]


@pytest.mark.parametrize(
    "text",
    [
        "def greet(entity): return entity",
        "def greet(entity, /, more=1, *, by=2): yield entity",
        "def greet(*entities): ...",
        "import functools\n@functools.cache\ndef greet(): ...",
        "greet = lambda entity: entity",
        "from elsewhere import greet",
        "import elsewhere as greet",
        "from elsewhere import *",
        "try:\n  import fast as greet\nexcept ImportError:\n  def greet(entity): return None",
        "class greet(dict): ...",
        "\ufeff# æ\r\ndef greet(entity):\r\n  return entity\r\n".removeprefix("\ufeff"),
    ],
)
def test_a_function_that_may_be_called_is_no_problem(text: str) -> None:
    """However it comes by its name, and with arguments of its own that need not be given."""
    assert problems("shapes:greet", text) == []


@pytest.mark.parametrize(
    ("text", "part", "message"),
    [
        (None, "shapes", "there is no file `shapes.py`"),
        ("", "greet", "`shapes.py` has no function `greet`"),
        ("def f():\n  def greet(entity): ...", "greet", "`shapes.py` has no function `greet`"),
        ("async def greet(entity): ...", "greet", "`greet` cannot be called with an entity"),
        ("def greet(): ...", "greet", "`greet` cannot be called with an entity"),
        ("def greet(one, two): ...", "greet", "`greet` cannot be called with an entity"),
        ("def greet(entity, *, how): ...", "greet", "`greet` cannot be called with an entity"),
        ("\0", "shapes", "`shapes.py` cannot be used"),
        ("#" * 1_000_001, "shapes", "`shapes.py` cannot be used"),
    ],
)
def test_what_cannot_be_called_is_marked(text: str | None, part: str, message: str) -> None:
    """E320 at the file or at the function, as it is written in the pipe."""
    (problem,) = problems("shapes:greet", text)
    assert (problem.code, problem.message, marked(problem, "shapes:greet")) == ("E320", message, part)


def test_a_name_that_is_nearly_right_is_offered() -> None:
    """Functions only."""
    (problem,) = problems("shapes:greet", "gree = 1\ndef greeting(entity): ...")
    assert [note.text for note in problem.notes] == ["did you mean `greeting`?"]


def test_the_place_of_an_unfit_function_is_shown() -> None:
    """Its line in the file of Python, whatever stands before it."""
    text = "# æøå\r\nif 1:\r\n  'æ'; x = 1\r\n\r\ndef greet(one, two):\r\n  pass\r\n"
    (problem,) = problems("shapes:greet", text)
    (defined,) = problem.related
    assert defined.span.file == "shapes.py"
    assert text[defined.span.start : defined.span.end] == "def greet(one, two):\r"


def test_a_fault_of_syntax_is_told_in_the_file_of_python() -> None:
    """With the place in the pipe beside it."""
    text = "x = 1\ndef greet(:\n"
    (problem,) = problems("shapes:greet", text)
    assert (problem.code, problem.span.file, problem.label) == ("E320", "shapes.py", "invalid syntax")
    assert text[: problem.span.start] == "x = 1\ndef greet("
    (used,) = problem.related
    assert pipe("shapes:greet")[used.span.start : used.span.end] == "shapes"


@pytest.mark.parametrize(
    "function", ["greet", "shapes.greet", ":greet", "shapes:", "a b:c", "../a:b", "/a:b", "a/b:c", "a..b:c", "a:if", ""]
)
def test_what_names_no_function_is_told(function: str) -> None:
    """E203; a path is no name, so nothing leads out of the project."""
    (problem,) = problems(function, "")
    assert (problem.code, split(function)) == ("E203", None)


@given(st.text(max_size=60) | st.text("def greet(x):\n  \\'\"#,*=[]{}@\r\t", max_size=80))
def test_no_text_of_a_file_stops_a_check_properties(text: str) -> None:
    """It is told, or it is right; places lie in the file."""
    for problem in problems("shapes:greet", text):
        assert problem.code == "E320"
        if problem.span.file == "shapes.py":
            assert 0 <= problem.span.start <= problem.span.end <= len(text)


def test_nothing_is_run_by_a_check(tmp_path: Path) -> None:
    """The file is read from the project's folder, also one in a folder of it, and a link out of it is not."""
    root = tmp_path / "project"
    (root / "parts").mkdir(parents=True)
    body = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\ndef greet(entity): ...\n"
    (root / "parts/shapes.py").write_text(body)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/shapes.py").write_text(body)
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "link.py").symlink_to(tmp_path / "outside/shapes.py")
    (root / "mailweir.json").write_text("{}")
    for name, function in (("a", "parts.shapes:greet"), ("b", "linked.shapes:greet"), ("c", "link:greet")):
        (root / f"{name}.conf.json").write_text(pipe(function).replace('"p"', f'"{name}"'))
    told = check_paths([root], Options(environ={}, here=root)).problems
    assert sorted((problem.code, problem.span.file, problem.label) for problem in told) == [
        ("E115", "linked", ""),
        ("E320", "b.conf.json", "cannot read this file: it lies outside of the project"),
        ("E320", "c.conf.json", "cannot read this file: it is a symbolic link"),
    ]
    assert not (tmp_path / "ran").exists()
