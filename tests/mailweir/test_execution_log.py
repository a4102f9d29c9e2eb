"""Runs as entities for other pipes, with real files and a real state."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from mailweir.execution_log import log_of
from mailweir.running import Asked, Run
from mailweir.upstream import ends_of, upstream_first
from pipeline.config.load import Loaded, Options, load
from pipeline.entity import Datetime
from pipeline.state.sqlite.dataset_look import SqliteReads

PEOPLE = {"_id": "people", "type": "pipe", "source": {"type": "json", "path": "in.jsonl"}, "sink": {"type": "null"}}
WATCH = {"_id": "watch", "type": "pipe", "source": {"type": "dataset", "dataset": log_of("people")}}


def project(folder: Path, *pipes: dict[str, Any]) -> Loaded:
    """With these pipes."""
    (folder / "all.conf.json").write_text(json.dumps(pipes))
    loaded = load(folder, Options(here=folder))
    assert not loaded.project.errors
    return loaded


def events(folder: Path, *pipes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the log has after a run."""
    asyncio.run(Run(project(folder, *pipes), Asked()).go())
    reads = SqliteReads(folder / ".mailweir")
    try:
        found = [reads.get(log_of("people"), name) for name in ("pump-started", "pump-completed", "pump-failed")]
    finally:
        reads.close()
    return {one["_id"]: dict(one) for one in found if one is not None}


def test_a_run_is_told_to_who_reads_the_log(tmp_path: Path) -> None:
    """How it began and ended, what came of its entities, and why it stopped; the pipe that reads it runs behind."""
    (tmp_path / "in.jsonl").write_text('{"_id": "1"}\n{"_id": "2"}\n')
    found = events(tmp_path, WATCH, PEOPLE)
    started, completed = found["pump-started"], found["pump-completed"]
    assert started["run"] == completed["run"]
    assert started["sync_type"] == "full"
    assert isinstance(started["start_time"], Datetime)
    assert started["start_time"].ns <= completed["end_time"].ns
    told = {"pipe": "people", "entities_read": 2, "entities_succeeded": 2, "entities_failed": 0}
    assert completed.items() >= told.items()
    assert completed["outcomes"] == {"skipped": 2}
    reads = SqliteReads(tmp_path / ".mailweir")
    watched = reads.get("watch", "pump-completed")
    reads.close()
    assert watched is not None
    assert watched["run"] == completed["run"]
    (tmp_path / "in.jsonl").write_text('{"_id": "1"}\n{"_id": 2}\n')
    failed = events(tmp_path, WATCH, PEOPLE)["pump-failed"]
    assert "in.jsonl:2:9: E218" in failed["reason_why_stopped"]


def test_a_run_in_which_nothing_happened_is_told_only_where_that_is_wanted(tmp_path: Path) -> None:
    """By `log_events_noop_runs` of the pump."""
    (tmp_path / "in.jsonl").write_text("")
    assert events(tmp_path, WATCH, PEOPLE) == {}
    assert "pump-completed" in events(tmp_path, WATCH, {**PEOPLE, "pump": {"log_events_noop_runs": True}})


@pytest.mark.parametrize("pipes", [[PEOPLE], [{**PEOPLE, "source": {"type": "dataset", "dataset": log_of("people")}}]])
def test_nobody_writes_a_log_for_nobody(tmp_path: Path, pipes: list[dict[str, Any]]) -> None:
    """And a pipe that reads its own would never come to an end."""
    (tmp_path / "in.jsonl").write_text('{"_id": "1"}\n')
    assert events(tmp_path, *pipes) == {}


def test_who_reads_a_log_runs_behind_the_pipe(tmp_path: Path) -> None:
    """Whatever the order of the files."""
    ends = ends_of(project(tmp_path, WATCH, PEOPLE).project.components)
    assert upstream_first(ends, set(ends)) == ["people", "watch"]
