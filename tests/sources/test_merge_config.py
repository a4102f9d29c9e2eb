"""The source `merge` as it is written: what is wrong is told at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.cli.checking import check_paths
from pipeline.config.load import Options
from pipeline.errors import Problem


def pipes(source: dict[str, Any]) -> list[dict[str, Any]]:
    """Two datasets, and what is merged of them."""
    reads = [
        {"_id": name, "type": "pipe", "source": {"type": "json", "path": f"{name}.jsonl"}}
        for name in ("people", "users")
    ]
    merged = {"_id": "persons", "type": "pipe", "source": {"type": "merge", **source}}
    return [*reads, merged, {"_id": "out", "type": "pipe", "source": {"type": "dataset", "dataset": "persons"}}]


def problems(folder: Path, source: dict[str, Any]) -> tuple[str, list[Problem]]:
    """The text, and what is wrong with it."""
    text = json.dumps(pipes(source))
    (folder / "all.conf.json").write_text(text)
    found = check_paths([folder], Options(environ={}, here=folder)).problems
    return text, [one for one in found if one.code.startswith("E")]


DATASETS = ["people p", "users u"]


@pytest.mark.parametrize(
    ("source", "code", "at", "message"),
    [
        ({"datasets": ["people"]}, "E203", '"people"]', "a name and an alias"),
        ({"datasets": ["people p", "users p"]}, "E203", '"users p"', "the alias `p` is given twice"),
        ({"datasets": ["people p", "people u"]}, "E203", '"people u"', "the dataset `people` is there twice"),
        ({"datasets": DATASETS, "equality": [["neq", "p.a", "u.b"]]}, "E805", '["neq"', "a rule is"),
        ({"datasets": DATASETS, "equality": [["eq", "p.a", "user.b"]]}, "E805", '"user.b"', "names no dataset"),
        ({"datasets": DATASETS, "equality": [["eq", ["concat", "p.a", "u.b"], "u.b"]]}, "E805", '["concat"', "of one"),
        ({"datasets": DATASETS, "equality_sets": [["p.a", ["lowr", "u.b"]]]}, "E801", '"lowr"', "lowr"),
        ({"datasets": DATASETS, "equality_sets": ["p.a"]}, "E805", '"p.a"', "a set is a list"),
        ({"datasets": DATASETS, "equality": [["eq", "_S.a", "u.b"]]}, "E805", '"_S.a"', "names no dataset"),
    ],
)
def test_what_is_wrong_with_a_merge_is_told_at_its_place(
    tmp_path: Path, source: dict[str, Any], code: str, at: str, message: str
) -> None:
    """The dataset, the rule or the side of it."""
    text, found = problems(tmp_path, source)
    assert [one.code for one in found] == [code]
    assert message in found[0].message
    assert text[found[0].span.start :].startswith(at)


def test_the_alias_that_was_meant_is_named(tmp_path: Path) -> None:
    """One that is nearly there."""
    _, found = problems(tmp_path, {"datasets": ["people peo", "users u"], "equality_sets": [["pe.a", "u.b"]]})
    assert "did you mean `peo.a`?" in found[0].notes[0].text


def test_a_dataset_that_nobody_writes_is_told(tmp_path: Path) -> None:
    """By its name, without the alias."""
    text, found = problems(tmp_path, {"datasets": ["peple p", "users u"]})
    assert "`peple`" in found[0].message
    assert text[found[0].span.start : found[0].span.end] in {'"peple p"', "peple p"}
