from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailweir.testing.plan import Planned, read_tests
from pipeline.config.text import read
from pipeline.config.tree import Lines

CASE = {"name": "one", "given": [{"_id": "a"}], "expect": []}


def planned(
    content: Any, *, beside: tuple[str, ...] = ("welcome.json",), pipes: tuple[str, ...] = ("welcome",)
) -> Planned:
    """What becomes of a file, with these files beside it."""
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    return read_tests(read(text.encode(), "expected/welcome.test.json"), pipes, beside.__contains__)


def told(content: Any, **more: Any) -> list[tuple[str, str]]:
    """The codes of the problems, and what stands at their places."""
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    return [(one.code, text[one.span.start : one.span.end]) for one in planned(text, **more).problems]


def test_an_empty_object_is_a_whole_test() -> None:
    """Pipe, name and file come from the name of the file; a byte order mark is no fault."""
    found = planned("\ufeff{}")
    assert found.problems == []
    (test,) = found.tests
    assert (test.name, test.pipe, test.file, test.stage) == ("welcome.json", "welcome", "welcome.json", "sink")


def test_cases_take_what_the_file_says() -> None:
    """What stands at the top is the default of every case; what a case says itself counts, and maps are joined."""
    content = {
        "pipe": "welcome",
        "stage": "mail",
        "now": "2026-02-03T04:05:06Z",
        "env": {"a": 1, "b": 2},
        "system": {"max_per_hour": 2},
        "cases": [CASE, {**CASE, "name": "two", "stage": "source", "env": {"b": 3}, "system": {"on_limit": "queue"}}],
    }
    one, two = planned(content, beside=()).tests
    assert (one.stage, one.env, one.file) == ("mail", {"a": 1, "b": 2}, None)
    assert (two.stage, two.env) == ("source", {"a": 1, "b": 3})
    assert one.now == two.now != 0
    assert two.system is not None
    assert (two.system.max_per_hour, two.system.on_limit) == (2, "queue")
    assert one.seed != two.seed


def test_the_line_of_a_case() -> None:
    """An editor can jump to it."""
    text = json.dumps({"pipe": "welcome", "cases": [CASE, {**CASE, "name": "two"}]}, indent=1)
    spans = [test.span for test in planned(text).tests]
    lines = [Lines(text).place(span.start)[0] for span in spans]
    assert [text.split("\n")[line].strip() for line in lines] == ['"name": "one",', '"name": "two",']


@pytest.mark.parametrize(
    ("content", "code", "at"),
    [
        ({"pip": "welcome"}, "E701", '"pip"'),
        ({"cases": [{**CASE, "gven": []}]}, "E701", '"gven"'),
        ({"cases": [{**CASE, "expect": {"mials": []}}]}, "E701", '"mials"'),
        ({"pipe": "wellcome"}, "E702", '"wellcome"'),
        ({"file": "other.json"}, "E703", '"other.json"'),
        ({"cases": [{**CASE, "expect": [{"x": {"$file": "no.txt"}}]}]}, "E703", '"no.txt"'),
        ({"stage": "mial"}, "E203", '"mial"'),
        ({"now": "noon"}, "E203", '"noon"'),
        ({"step": "1 second"}, "E203", '"1 second"'),
        ({"file": "../a.json"}, "E203", '"../a.json"'),
        ({"given": "/etc/passwd"}, "E203", '"/etc/passwd"'),
        ({"given": {"customers": 3}}, "E203", "3"),
        ({"given": [{"at": "noon"}]}, "E203", '"noon"'),
        ({"mocks": {"htp:crm": []}}, "E203", '"htp:crm"'),
        ({"mocks": {"systm:office": []}}, "E203", '"systm:office"'),
        ({"endpoint": "eml", "stage": "sink"}, "E203", '"eml"'),
        ({"mocks": {"system:office": [{"cod": 451}]}}, "E701", '"cod"'),
        ({"mocks": {"system:office": [{"code": "451"}]}}, "E202", '"451"'),
        ({"mocks": {"system:office": [{"code": 99}]}}, "E203", "99"),
        ({"mocks": {"system:office": [{}, 7]}}, "E202", "7"),
        ({"mocks": {"http:crm": ["text", {"status": "no"}]}}, "E202", '"no"'),
        ({"mocks": {"transform:geo": [None, {"_id": "a"}, [{"_id": "b"}], 8]}}, "E202", "8"),
        ({"endpoint": "excel"}, "E203", '"excel"'),
        ({"endpoint": "csv", "cases": [CASE]}, "E203", '"csv"'),
        ({"cases": [{**CASE, "endpoint": "json"}]}, "E701", '"endpoint"'),
        ({"cases": []}, "E203", "[]"),
        ({"cases": [{**CASE, "expect": {}}]}, "E203", "{"),
        ({"cases": [{**CASE, "expect": {"comment": "x", "mails": None}}]}, "E203", "{"),
        ({"cases": [{**CASE, "expect": {"$any": True}}]}, "E202", '{\n    "$any": true\n   }'),
        ({"cases": [{**CASE, "expect": [{"_id": "a"}, "b"]}]}, "E202", '"b"'),
        ({"cases": [{**CASE, "stage": "mail", "expect": [{"subjct": "Hi"}]}]}, "E701", '"subjct"'),
        ({"cases": [{**CASE, "expect": {"rejected": [{"subject": "Hi"}]}}]}, "E701", '"subject"'),
        ("", "E114", ""),
        ({"cases": [CASE, CASE]}, "E706", '"one"'),
        ({"cases": [{**CASE, "expect": 3}]}, "E202", "3"),
        ([], "E202", "[]"),
        ({"ignore": True}, "W704", '"ignore"'),
        ({"blacklist": ["a"]}, "W704", '"blacklist"'),
        ({"description": "captured, not reviewed"}, "W708", '"captured, not reviewed"'),
    ],
)
def test_faults_have_a_place(content: Any, code: str, at: str) -> None:
    """Each fault is told once, at the characters that are wrong."""
    assert told(content) == [(code, at)]


def test_a_misspelt_matcher_is_told_at_its_place() -> None:
    """With the one that was meant."""
    found = planned({"cases": [{**CASE, "expect": {"logs": [{"$contain": "x"}]}}]}).problems
    assert [(one.code, one.message) for one in found] == [
        ("E707", "there is no matcher `$contain`: did you mean `$contains`?")
    ]


def test_what_a_mail_has_is_known() -> None:
    """Also where it became none; entities have properties of any name."""
    mails = [{"_id": "a", "to": [], "subject": {"$any": True}, "headers": {"X-Own": "1"}, "_note": "for people"}]
    rejected = [{"_id": "b", "code": "E502", "message": {"$contains": "no"}}]
    cases = [
        {**CASE, "stage": "mail", "expect": {"mails": mails, "discarded": mails, "rejected": rejected}},
        {**CASE, "name": "two", "expect": [{"_id": "a", "subjct": 1}]},
    ]
    assert told({"cases": cases}) == []


def test_answers_of_mocks_are_known() -> None:
    """Each of them, and none at all; what a service answers may be its body alone."""
    mocks = {
        "system:office": [{}, {"code": 451, "text": "later"}, {"code": 550, "to": "a@example.com"}],
        "http:crm": [{}, {"status": 404, "headers": {"retry-after": 3}, "body": None}, [1], "text", None],
        "transform:geo": [None, {"_id": "a"}, []],
    }
    assert told({"mocks": mocks}) == []


def test_nothing_is_said_of_pipes_that_are_not_known() -> None:
    """Where the configuration has faults, a pipe may be missing for that reason."""
    document = read(b'{"pipe": "x"}', "expected/welcome.test.json")
    assert read_tests(document, None, lambda _: True).problems == []


@given(st.text(max_size=200) | st.sampled_from([json.dumps({"pipe": "welcome", "cases": [CASE]})]), st.integers(0, 80))
def test_any_text(text: str, cut: int) -> None:
    """Whatever a file holds, it becomes tests or faults with places inside it."""
    shorter = text[: max(0, len(text) - cut)]
    found = planned(shorter)
    assert found.tests or found.problems
    assert all(0 <= one.span.start <= one.span.end <= len(shorter) for one in found.problems)


def test_words_for_what_becomes_of_mails_are_known() -> None:
    """A misspelt one is told at its place, with the word that was meant; a matcher stands for any."""
    outcomes = ["sent", {"$one_of": ["sent", "snet"]}, "snet"]
    content = {"cases": [{**CASE, "expect": {"outcomes": outcomes}}]}
    assert told(content, beside=()) == [("E203", '"snet"')]
    (problem,) = planned(content, beside=()).problems
    assert [note.text for note in problem.notes] == ["did you mean `sent`?"]
