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


def test_what_a_pipe_reads_is_known_to_its_rules(command: Command, tmp_path: Path) -> None:
    """`is-changed` compares with the version before, and `lookup` without a dataset looks into the one that is read."""
    rules = {
        "default": [
            ["add", "changed", ["is-changed", "_.name"]],
            ["add", "next", ["path", "name", ["lookup", "_S.next"]]],
        ]
    }

    def run(people: list[dict[str, Any]]) -> dict[str, Any]:
        project(tmp_path, rules)
        path = tmp_path / "all.conf.json"
        path.write_text(path.read_text().replace(json.dumps(PEOPLE), json.dumps(people)))
        done = command(tmp_path, "run")
        assert done.returncode == 0, done.stderr
        return {id_: (one["changed"], one["next"]) for id_, one in kept(tmp_path, "joined").items()}

    kari, ola = {"_id": "1", "name": "Kari", "next": "2"}, {"_id": "2", "name": "Ola", "next": "3"}
    assert run([kari, ola]) == {"1": (None, "Ola"), "2": (None, None)}
    assert run([{**kari, "age": 5}, {**ola, "name": "Olaf"}]) == {"1": (False, "Olaf"), "2": (True, None)}


def test_entities_that_rules_are_not_meant_for_go_on_as_they_are(command: Command, tmp_path: Path) -> None:
    """`trigger_on` names a property, or a path, and its value; a text may have wildcards."""
    project(tmp_path, {"default": [["add", "met", True]]})
    path = tmp_path / "all.conf.json"

    def run(trigger: dict[str, Any]) -> dict[str, Any]:
        pipes = json.loads(path.read_text())
        pipes[0]["transform"]["trigger_on"] = trigger
        pipes[1]["source"]["entities"] = [
            {"_id": "1", "_trigger": "mail", "kind": {"size": 2}},
            {"_id": "2", "kind": [{"size": 1}, {"size": 5}]},
            {"_id": "3", "name": "Per"},
        ]
        path.write_text(json.dumps(pipes))
        done = command(tmp_path, "run", "--since", "0")
        assert done.returncode == 0, done.stderr
        return {id_: one.get("met") for id_, one in kept(tmp_path, "joined").items()}

    assert run({"key": "kind.size", "value": 5}) == {"1": None, "2": True, "3": None}
    assert run({"key": "name", "value": "P*"}) == {"1": None, "2": None, "3": True}
    done = command(tmp_path, "transform", "joined", "--trace", given='{"_id": "9", "name": "Ola"}')
    assert "trigger_on" in done.stdout + done.stderr
    assert json.loads(path.read_text())[0]["transform"]["trigger_on"]["value"] == "P*"
    wrong = path.read_text().replace('"value": "P*"', '"values": "P*"')
    path.write_text(wrong)
    told = command(tmp_path, "check")
    assert "did you mean `value`?" in told.stdout + told.stderr
