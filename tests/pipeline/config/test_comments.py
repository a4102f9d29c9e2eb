"""Free words are allowed in every object, and nothing reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.comments import is_comment, without_comments
from pipeline.config.load import Loaded, Options, load


def loaded(folder: Path, **files: Any) -> Loaded:
    """The project of these files; `__` in a name is a slash, `_` a dot."""
    for name, value in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    return load(folder, Options(environ={}, here=folder, run_secrets=folder / "none"))


WORDS = ["one line", ["two", "lines"]]


@pytest.mark.parametrize("words", WORDS)
def test_comments_stand_where_names_are_the_users_own(tmp_path: Path, words: object) -> None:
    """Among rules, alternatives, namespaces and pieces of a condition."""
    free = {"comment": words, "$schema": "https://example.com/x.json"}
    pipe = {
        "_id": "p",
        "type": "pipe",
        **free,
        "source": {"type": "conditional", "condition": "a", "alternatives": {**free, "a": {"type": "empty", **free}}},
        "transform": {"type": "dtl", "rules": {**free, "default": []}, **free},
        "sink": {
            "$conditional_properties": {"condition": "a", "alternatives": {**free, "a": {"type": "null"}}, **free}
        },
        "namespaces": {**free, "identity": "x"},
        "pump": {**free, "mode": "off"},
    }
    result = loaded(tmp_path, pipes__p_conf_json=pipe)
    assert result.problems == []
    config = result.project.components[0].config
    assert getattr(config, "namespaces") == {"identity": "x"}
    (transform,) = getattr(config, "transform")
    assert set(transform.rules) == {"default"}
    assert set(getattr(config, "source").alternatives) == {"a"}


def test_what_is_no_words_is_what_its_name_says(tmp_path: Path) -> None:
    """A rule or a source may be called `comment`."""
    rules = {"comment": [["add", "a", 1]], "default": [["add", "b", ["apply", "comment", "_S."]]]}
    source = {"type": "conditional", "condition": "comment", "alternatives": {"comment": {"type": "empty"}}}
    pipe = {"_id": "p", "type": "pipe", "source": source, "transform": {"type": "dtl", "rules": rules}}
    result = loaded(tmp_path, pipes__p_conf_json={**pipe, "sink": {"type": "null"}})
    assert result.problems == []
    (transform,) = getattr(result.project.components[0].config, "transform")
    assert set(transform.rules) == {"comment", "default"}


def test_comments_in_the_values_of_a_profile_are_no_variables(tmp_path: Path) -> None:
    """They are not reported as unused; a variable of such a name can be used all the same."""
    system = {"_id": "s", "type": "system:smtp", "name": "$ENV(description)"}
    values = {"comment": ["for", "tests"], "$schema": "x", "description": "test values", "spare": 1}
    (tmp_path / "test-env.json").write_text(json.dumps(values), encoding="utf-8")
    result = loaded(tmp_path, systems__s_conf_json=system)
    assert [(problem.code, problem.message) for problem in result.problems] == [
        ("W309", "variable `spare` is set but never used")
    ]
    assert getattr(result.project.components[0].config, "name") == "test values"


def test_settings_of_secrets_are_none(tmp_path: Path) -> None:
    """Neither the folder nor a comment beside it is masked in what is printed."""
    settings = {"secrets": {"comment": "a word or two", "directory": "vault"}, "profil": "x"}
    result = loaded(tmp_path, mailweir_json=settings, systems__s_conf_json={"_id": "s", "type": "system:smtp"})
    text = "a word or two, in the vault"
    assert result.project.scrubber.scrub(text) == text
    assert result.project.masks == {}


def test_a_comment_beside_a_secret_is_none(tmp_path: Path) -> None:
    """What stands around it is masked."""
    oauth = {"comment": "why this is so", "token": "c4nary-token"}
    system = {"_id": "s", "type": "system:smtp", "metadata": {"credentials": oauth}}
    result = loaded(tmp_path, systems__s_conf_json=system)
    assert result.project.scrubber.scrub("why this is so: c4nary-token") == "why this is so: ********"


@pytest.mark.parametrize(
    ("name", "value", "free"),
    [
        ("comment", "x", True),
        ("comment", ["x", "y"], True),
        ("$schema", "x", True),
        ("comment", 5, False),
        ("comment", {"a": 1}, False),
        ("comment", [["a"]], False),
        ("note", "x", False),
    ],
)
def test_words_under_a_free_name_are_a_comment(name: str, value: object, free: bool) -> None:
    """One text or a list of texts."""
    assert is_comment(name, value) is free
    assert without_comments({name: value, "a": 1}) == ({"a": 1} if free else {name: value, "a": 1})
