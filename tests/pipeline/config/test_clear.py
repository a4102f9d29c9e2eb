"""Passwords that stand in a configuration as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.installed import installed
from pipeline.config.project import compile_project
from pipeline.config.resolve import Lookup
from pipeline.config.text import read

registry = installed()


def told(*components: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The text of each password that is told, and the way to it."""
    document = read(json.dumps(components).encode(), "a.conf.json")
    project = compile_project([document], registry, Lookup(take_env=False, take_secrets=False))
    spans = [(problem.span, problem.path) for problem in project.problems if problem.code == "W302"]
    return [(document.text[span.start : span.end], path) for span, path in spans]


def system(**properties: Any) -> dict[str, Any]:
    """A mail system."""
    return {"_id": "s", "type": "system:smtp", **properties}


@pytest.mark.parametrize(
    "value",
    ["$SECRET(a)", "$ENV(a)", "x-$SECRET(a)", "$SECRET(a b)", "$SECRET(", "$secret(a)", "$SECRET{a}", "$ENV (a)", ""],
)
def test_a_reference_is_no_password(value: str) -> None:
    """Nor is what is meant as one: it is told as what it is, and as nothing else."""
    assert told(system(smtp_username="u", smtp_password=value)) == []


def test_a_password_is_told_at_its_value() -> None:
    """In the system, in its parts, and when it is a text about references."""
    assert told(system(smtp_password="x")) == [('"x"', ("s", "smtp_password"))]
    assert told(system(oauth={"token": "y"})) == [('"y"', ("s", "oauth", "token"))]
    assert told(system(servers=[{"smtp_password": "z"}])) == [('"z"', ("s", "servers", "smtp_password"))]
    assert told(system(smtp_password="$$SECRET(a)")) == [('"$$SECRET(a)"', ("s", "smtp_password"))]


def test_a_password_in_a_url_is_told_at_the_login() -> None:
    """Wherever the URL stands: in a property, in words, in rules."""
    assert told(system(url="smtp://u:p@h")) == [("u:p", ("s", "url"))]
    assert told(system(comment="was smtp://u:p@h once")) == [("u:p", ("s", "comment"))]
    rules = {"default": [["add", "link", "https://u:p@h/x"]]}
    pipe = {"_id": "p", "type": "pipe", "source": {"type": "empty"}, "transform": {"type": "dtl", "rules": rules}}
    assert [text for text, _ in told(pipe)] == ["u:p"]


@pytest.mark.parametrize(
    "value",
    ["smtp://h", "smtp://u@h", "smtp://u:$SECRET(p)@h", "smtp://$ENV(u):$ENV(p)@h", "https://x:80 is for a@b", "a@b"],
)
def test_a_url_without_a_password_is_not_told(value: str) -> None:
    """A user name alone, references, prose."""
    assert told(system(comment=value)) == []


def test_data_is_left_alone() -> None:
    """Entities may hold links of all kinds."""
    entities = [{"_id": "1", "link": "https://u:p@h"}]
    assert told({"_id": "p", "type": "pipe", "source": {"type": "embedded", "entities": entities}}) == []
