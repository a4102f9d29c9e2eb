"""What the properties of a mail sink say together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.formats import as_json, github, junit, sarif
from pipeline.config.installed import installed
from pipeline.config.project import Project, compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.show import concise, render
from pipeline.config.text import read
from pipeline.errors import Problem


def checked(properties: dict[str, Any]) -> Project:
    """The project of one pipe that mails."""
    sink = {"type": "mail", "system": "relay", "mail_from": "post@example.com", **properties}
    components = [
        {"_id": "relay", "type": "system:smtp"},
        {"_id": "letters", "type": "pipe", "source": {"type": "empty"}, "sink": sink},
    ]
    return compile_project([read(json.dumps(components).encode(), "a.conf.json")], installed(), Lookup())


def only(properties: dict[str, Any]) -> Problem:
    """The one problem."""
    (problem,) = checked(properties).problems
    return problem


CASES = [
    ({"recipients": "a@example.com; b@example.com"}, "E501", "`;` separates nothing here: use commas"),
    ({"recipients": "Ann <a@example.com"}, "E501", "`<` is never closed"),
    ({"recipients": "a@example.com, kari@example, ola, per"}, "E501", "the domain has no dot; no `@`"),
    ({"mail_from": "a@example.com; b@example.com"}, "E503", "`;` separates nothing here: use commas"),
    ({"mail_from": "post"}, "E503", "no `@`"),
]


@pytest.mark.parametrize(("properties", "code", "reason"), CASES, ids=str)
def test_the_reason_is_in_every_format(properties: dict[str, Any], code: str, reason: str) -> None:
    """Where no caret carries it, the message does; each reason once, however many addresses have it."""
    project = checked(properties)
    (problem,) = project.problems
    assert (problem.code, problem.reason) == (code, reason)
    problems, texts = project.problems, project.texts
    assert concise(problems, texts).endswith(f": {reason}")
    assert as_json(problems, texts)["diagnostics"][0]["message"].endswith(f": {reason}")  # type: ignore[index]
    assert f": {reason}%0Ahelp: " in github(problems, texts)
    assert f": {reason}\\nhelp: " in json.dumps(sarif(problems, texts, version="1"))
    assert reason.replace("<", "&lt;") in junit(problems, texts)


def test_the_reason_stands_beside_its_address_where_there_are_carets() -> None:
    """The head counts, the labels tell."""
    project = checked({"recipients": "kari@example, ola"})
    text = render(project.problems, project.texts)
    assert text.startswith("error[E501]: 2 of 2 recipients are not addresses\n")
    assert "^^^^^^^^^^^^ the domain has no dot\n" in text
    assert "^^^ no `@`\n" in text


def test_a_list_of_recipients_is_told_how_to_be_written() -> None:
    """JSON has lists, and this property is one text."""
    problem = only({"recipients": ["a@example.com", "b@example.com"]})
    assert (problem.code, problem.message) == ("E202", "`recipients` must be a string, not a list")
    assert [note.text for note in problem.notes] == [
        'write the addresses in one text with commas: "a@example.com, Ann Lee <ann@example.com>"'
    ]
