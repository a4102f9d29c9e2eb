"""Tokens, roles and pipes; a file of tokens and its faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mailweir.web.access import MOST_PEERS, MOST_WRONG, Caller, Keys, Wrongs, callers_of, digest_of
from pipeline.config.text import read

ERP = {"name": "erp", "sha256": digest_of("e" * 32), "roles": ["send"], "pipes": ["orders"]}


def callers(*tokens: dict[str, Any]) -> Any:
    """What a file of these tokens gives."""
    return callers_of(read(json.dumps({"tokens": tokens}, indent=1), "tokens.json"))


def test_a_token_finds_its_caller() -> None:
    """A token is known by its digest, and another one, or a part of it, is nobody's."""
    found, problems = callers(ERP)
    assert problems == []
    keys = Keys(found)
    assert keys.caller("e" * 32) == Caller("erp", frozenset({"send"}), frozenset({"orders"}))
    assert keys.caller("e" * 31) is None
    assert keys.caller("") is None


@pytest.mark.parametrize(
    ("role", "pipe", "may"),
    [("send", "orders", True), ("send", "others", False), ("send", None, False), ("view", "orders", False)],
)
def test_a_caller_may_what_its_token_says(role: Any, pipe: str | None, may: bool) -> None:
    """A role holds for the pipes of the token, and for nothing beside them."""
    assert Caller("erp", frozenset({"send"}), frozenset({"orders"})).may(role, pipe) is may


def test_without_pipes_all_are_meant() -> None:
    """A token that names no pipes is for all, and for what belongs to none."""
    found, _ = callers({**ERP, "pipes": None})
    (caller,) = found.values()
    assert caller.may("send", "anything")
    assert caller.may("send", None)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"sha256": "abc"}, "E203"),
        ({"roles": []}, "E203"),
        ({"roles": ["king"]}, "E203"),
        ({"rolls": ["send"]}, "E201"),
    ],
)
def test_faults_of_the_file_are_told(wrong: dict[str, Any], code: str) -> None:
    """Nothing of a file with a fault is taken, and the fault is told with its place."""
    found, problems = callers({**ERP, **wrong})
    assert found == {}
    assert code in {problem.code for problem in problems}
    assert all(problem.span.file == "tokens.json" and problem.span.start > 0 for problem in problems)


def test_the_same_token_twice() -> None:
    """Two names for one token are a fault: the log could not tell who it was."""
    _, problems = callers(ERP, {**ERP, "name": "crm"})
    assert [problem.message for problem in problems] == ["the token of `crm` is that of `erp`"]


def test_wrong_tokens_are_counted_by_second_and_peer() -> None:
    """After so many wrong tokens in a second a peer waits for the next one, and others do not."""
    wrongs = Wrongs()
    for _ in range(MOST_WRONG):
        assert not wrongs.too_many("a", 5.1)
        wrongs.add("a", 5.2)
    assert wrongs.too_many("a", 5.9)
    assert not wrongs.too_many("b", 5.9)
    assert not wrongs.too_many("a", 6.0)


def test_very_many_peers_are_one() -> None:
    """Peers without number take no more room than some: from then on they are counted together."""
    wrongs = Wrongs()
    for number in range(MOST_PEERS + MOST_WRONG + 1):
        wrongs.add(str(number), 1.0)
    assert wrongs.too_many("new", 1.0)
