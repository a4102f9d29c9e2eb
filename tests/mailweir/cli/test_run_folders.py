"""`mailweir run` with folders into which others put files, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.state.sqlite.dataset_look import SqliteReads

TOP = Path(__file__).parents[3]
Command = Callable[..., Any]


def kept(folder: Path, name: str) -> list[str]:
    """What a dataset has."""
    reads = SqliteReads(folder / ".mailweir")
    found = reads.dataset(name)
    assert found is not None
    entities = reads.page(found.number, 0, found.last, 100_000).entities
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


def test_a_reading_of_a_folder_that_is_killed_loses_nothing_and_reads_nothing_twice(
    command: Command, tmp_path: Path
) -> None:
    """What `kill -9` left is read by the next run, in the middle of a file too; files are put away behind that."""
    rows = {"type": "csv", "path": "*", "primary_key": "no"}
    inbox = {"type": "directory", "path": "in", "source": rows, "done": "done"}
    (tmp_path / "p.conf.json").write_text(json.dumps({"_id": "orders", "type": "pipe", "source": inbox}))
    (tmp_path / "in").mkdir()
    written = time.time() - 3600
    for file in range(6):
        path = tmp_path / "in" / f"{file}.csv"
        path.write_text("no\n" + "".join(f"{file}-{row}\n" for row in range(6000)))
        os.utime(path, (written + file, written + file))
    reads = SqliteReads(tmp_path / ".mailweir")
    for wanted in (1, 9000, 22_000):
        run = subprocess.Popen(
            [sys.executable, "-m", "mailweir", "run", "--progress", "none"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None and ((found := reads.dataset("orders")) is None or found.last <= wanted):
            with suppress(subprocess.TimeoutExpired):
                run.wait(0.002)
        run.send_signal(signal.SIGKILL)
        run.wait()
    reads.close()
    assert command(tmp_path, "run").returncode == 0
    assert kept(tmp_path, "orders") == [f"{file}-{row}" for file in range(6) for row in range(6000)]
    assert command(tmp_path, "run").returncode == 0
    assert not list((tmp_path / "in").iterdir())
    assert len(list((tmp_path / "done").iterdir())) == 6
    assert len(kept(tmp_path, "orders")) == 36_000
