from __future__ import annotations

from typing import Any

import pytest

ANN = {"_id": "a", "name": "Ann", "email": "ann@example.com"}
BOB = {"_id": "b", "name": "Bob", "email": "bob@example.com"}
NOBODY = {"_id": "n", "name": "Nobody", "email": ""}


@pytest.mark.parametrize(
    ("expect", "case"),
    [
        ([{"_id": "a", "subject": "Hi"}], {}),
        ([], {}),
        ([{"_id": "z", "subject": "Hi"}, {"subject": {"$contains": "Bob"}}], {}),
        ([{"_id": "a", "to": "ann@example.com", "from": {"$any": True}, "cc": {"$absent": True}}], {"mode": "equals"}),
        ([{"_id": "b", "headers": {"X-Own": "1"}}], {"mode": "contains"}),
        ({"outcomes": ["dead"], "count": 7, "logs": ["no"], "rejected": [{"_id": "n", "code": "E999"}]}, {}),
        ({"mails": [{"_id": "a", "text": "no"}], "discarded": [{"_id": "a"}], "error": "broken"}, {}),
        ([{"_id": "a", "name": "no", "more": {"b": [{"c": 2}]}}], {"stage": "source"}),
    ],
)
def test_what_is_pasted_passes(project: Any, expect: Any, case: dict[str, Any]) -> None:
    """Whatever a case expected, with what came in its place it passes; an error that did not come is taken out."""
    given = [ANN | {"more": {"a": 1, "b": [{"c": 1, "d": 2}]}}, BOB, NOBODY]
    circumstances: dict[str, Any] = {"stage": "mail", "given": given} | case
    failed = project.case(expect, **circumstances)
    assert failed.state == "failed"
    paste = failed.paste
    if isinstance(paste, dict) and "error" in paste:
        assert paste.pop("error") is None
    assert project.case(paste, **circumstances).state == "passed", paste


def test_no_more_is_named_than_before(project: Any) -> None:
    """What holds stays as it is written, with its matchers; what is new is there as a whole."""
    more = {"a": 1, "b": [{"c": 1, "d": 2}]}
    given = [ANN | {"more": more}, BOB]
    expect = [{"_id": "a", "email": {"$contains": "@"}, "name": "no", "gone": 1, "more": {"b": [{"c": 2}]}}]
    assert project.case(expect, stage="source", given=given).paste == [
        {"_id": "a", "email": {"$contains": "@"}, "name": "Ann", "more": {"b": [{"c": 1}]}},
        BOB,
    ]


def test_nothing_is_to_be_pasted_of_what_passed_or_broke(project: Any) -> None:
    """Nor of a test with a file, which is written itself."""
    assert project.case({"count": 1}, given=[ANN]).paste is None
    assert project.case({"count": 2}, given=[ANN]).paste == {"count": 1}
    assert project.case({"count": 1}, given=[ANN], mocks={"system:offce": []}).paste is None
