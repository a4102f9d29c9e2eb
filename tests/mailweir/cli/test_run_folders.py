"""`mailweir run` with folders into which others put files, as a process of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.state.sqlite.dataset_look import SqliteReads

Command = Callable[..., Any]


def kept(folder: Path, name: str) -> list[str]:
    """What a dataset has."""
    reads = SqliteReads(folder / ".mailweir")
    found = reads.dataset(name)
    assert found is not None
    entities = reads.page(found.number, 0, found.last, 1000).entities
    reads.close()
    return [("-" if "_deleted" in one else "") + one["_id"] for one in entities]


def test_files_go_from_the_folder_into_a_dataset(command: Command, tmp_path: Path) -> None:
    """Each once; a dry run leaves them where they are, the run behind the one that read them puts them away."""
    rows = {"type": "csv", "path": "*", "primary_key": "no"}
    inbox = {"type": "directory", "path": "in", "source": rows, "done": "done", "failed": "bad"}
    (tmp_path / "p.conf.json").write_text(json.dumps({"_id": "orders", "type": "pipe", "source": inbox}))

    def put(name: str, text: str) -> None:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
        os.utime(tmp_path / "in" / name, (time.time() - 60, time.time() - 60))

    put("a.csv", "no\n1\n2\n")
    put("b.csv", "no,n\n3,x\n4\n")
    first = command(tmp_path, "run")
    assert first.returncode == 0
    assert "1 left out" in first.stdout
    assert kept(tmp_path, "orders") == ["1", "2", "3"]
    command(tmp_path, "run", "--dry-run")
    assert len(list((tmp_path / "in").iterdir())) == 2
    put("c.csv", "no\n5\n")
    assert command(tmp_path, "run").returncode == 0
    assert kept(tmp_path, "orders") == ["1", "2", "3", "5"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["c.csv"]
    assert (tmp_path / "done" / "a.csv").exists()
    assert (tmp_path / "bad" / "b.csv").exists()
