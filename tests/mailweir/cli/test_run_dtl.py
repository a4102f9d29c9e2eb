"""`mailweir run` with rules of the Data Transformation Language, as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.entity import NI
from pipeline.state.sqlite.dataset_look import SqliteReads

Command = Callable[..., Any]

PEOPLE = [{"_id": "1", "name": "Kari"}, {"_id": "2", "name": "Ola"}, {"_id": "3", "name": "Per"}]
ORDERS = [{"_id": "o1", "of": "1", "n": 5}, {"_id": "o2", "of": ["1", "2"], "n": 7}]
JOIN = {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.of"]}


def project(folder: Path, rules: dict[str, Any], **more: Any) -> None:
    """People and orders, and a pipe that joins them."""
    pipes = [
        {
            "_id": "joined",
            "source": {"type": "dataset", "dataset": "people"},
            "transform": {"type": "dtl", "rules": rules},
        },
        {"_id": "people", "source": {"type": "embedded", "entities": PEOPLE}},
        {"_id": "orders", "source": {"type": "embedded", "entities": ORDERS}},
    ]
    (folder / "all.conf.json").write_text(json.dumps([{"type": "pipe", **pipe, **more} for pipe in pipes]))


def kept(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """What a dataset has, without what the engine says of versions."""
    with closing(SqliteReads(folder / ".mailweir")) as reads:
        found = reads.dataset(name)
        assert found is not None
        entities = reads.page(found.number, 0, found.last, 100).entities
    own = {"_updated", "_previous", "_hash", "_ts"}
    return {one["_id"]: {name: value for name, value in one.items() if name not in own} for one in entities}


def test_entities_are_joined_shaped_and_filtered(command: Command, tmp_path: Path) -> None:
    """What the rules join is read before; it is looked up by an index; what is filtered out is not stored."""
    rules = {
        "default": [
            ["copy", "name"],
            ["add", "orders", ["apply-hops", "order", JOIN]],
            ["filter", ["is-not-empty", "_T.orders"]],
        ],
        "order": [["copy", "n"], ["add", "to", ["upper", "_P._S.name"]]],
    }
    project(tmp_path, rules)
    done = command(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert kept(tmp_path, "joined") == {
        "1": {"_id": "1", "name": "Kari", "orders": [{"n": 5, "to": "KARI"}, {"n": 7, "to": "KARI"}]},
        "2": {"_id": "2", "name": "Ola", "orders": [{"n": 7, "to": "OLA"}]},
    }
    with closing(SqliteReads(tmp_path / ".mailweir")) as reads:
        found = reads.dataset("orders")
        assert found is not None
        assert reads.measured(found).indexes == ("of",)


def test_an_entity_that_a_rule_fails_with_is_told(command: Command, tmp_path: Path) -> None:
    """By the place in the rules, the function, why and the value; the others go on."""
    project(tmp_path, {"default": [["add", "a", ["if", ["eq", "_S._id", "2"], ["range", 0, 9999999], 1]]]})
    done = command(tmp_path, "run")
    assert "default[0][2][2]: `range`: more than 1,000,000 values (given [0,9999999,null])" in done.stdout
    assert sorted(kept(tmp_path, "joined")) == ["1", "3"]


def test_fail_ends_the_run_of_a_pipe(command: Command, tmp_path: Path) -> None:
    """However many entities may fail: the message is told, and what came before is stored."""
    project(tmp_path, {"default": [["if", ["eq", "_S._id", "2"], ["fail!", ["concat", "no ", "_S.name"]]]]})
    done = command(tmp_path, "run")
    assert done.returncode == 4
    assert "joined stopped: entity `2`: default[0][2]: `fail!`: no Ola" in done.stderr
    assert list(kept(tmp_path, "joined")) == ["1"]


def test_names_get_the_namespace_of_their_pipe(command: Command, tmp_path: Path) -> None:
    """Where names have namespaces, those of a pipe are its own `_id`, or what it declares; a source gets them first."""
    spaces = {"namespaced_identifiers": True, "namespaces": {"property": "shop"}}
    rules = {"default": [["add", "who", "_S.name"], ["add", "_id", ["concat", "x", ["ni-id", "_S._id"]]]]}
    project(tmp_path, rules, **spaces)
    command(tmp_path, "run")
    assert kept(tmp_path, "people")["people:1"] == {"_id": "people:1", "shop:name": "Kari"}
    assert kept(tmp_path, "joined")["joined:x1"] == {"_id": "joined:x1", "shop:who": "Kari"}


def test_addresses_become_identifiers_by_what_the_project_declares(command: Command, tmp_path: Path) -> None:
    """`namespaces.default` in the metadata says what namespaces stand for."""
    project(tmp_path, {"default": [["add", "who", ["ni", ["uri", ["concat", "https://example.com/", "_S._id"]]]]]})
    metadata = {"_id": "node", "type": "metadata", "namespaces": {"default": {"shop": "https://example.com/"}}}
    (tmp_path / "node-metadata.conf.json").write_text(json.dumps(metadata))
    done = command(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert kept(tmp_path, "joined")["1"] == {"_id": "1", "who": NI("shop:1")}
