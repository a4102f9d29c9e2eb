"""`mailweir run` with a merge of several datasets, as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.state.sqlite.dataset_look import SqliteReads

Command = Callable[..., Any]


def kept(folder: Path) -> list[str]:
    """What the merged dataset has."""
    reads = SqliteReads(folder / ".mailweir")
    found = reads.dataset("persons")
    assert found is not None
    entities = reads.page(found.number, 0, found.last, 1000).entities
    reads.close()
    return sorted(one["_id"] for one in entities if "_deleted" not in one)


def test_people_are_merged_from_file_to_dataset(command: Command, tmp_path: Path) -> None:
    """Only what changed moves, in a dry run as in a run; the paths of the rules get an index."""
    parts = [
        {"_id": name, "type": "pipe", "source": {"type": "json", "path": f"{name}.jsonl"}}
        for name in ("people", "users")
    ]
    rules = {"datasets": ["people p", "users u"], "equality_sets": [["p.email", "u.login"]], "strategy": "compact"}
    persons = {"_id": "persons", "type": "pipe", "source": {"type": "merge", "version": 2, **rules}}
    (tmp_path / "all.conf.json").write_text(json.dumps([*parts, persons]))
    people = [{"_id": "p1", "email": "a@example.com"}, {"_id": "p2", "email": "b@example.com"}]
    users = [{"_id": "u1", "login": "a@example.com"}]

    def write() -> None:
        for name, entities in (("people", people), ("users", users)):
            (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entities))

    write()
    assert command(tmp_path, "run").returncode == 0
    assert kept(tmp_path) == ["0|p1|1|u1", "0|p2"]
    assert "login" in command(tmp_path, "datasets", "show", "users").stdout
    users[0]["login"] = "b@example.com"
    write()
    assert command(tmp_path, "run", "--dry-run").returncode == 0
    assert kept(tmp_path) == ["0|p1|1|u1", "0|p2"]
    done = command(tmp_path, "run")
    assert done.returncode == 0
    assert kept(tmp_path) == ["0|p1", "0|p2|1|u1"]
