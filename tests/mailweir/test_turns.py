"""A pipe is run by one process at a time: the lock that services take, taken by the test."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailweir.running import Asked, Done, Run
from mailweir.serving.presence import pump_lock
from mailweir.turns import BUSY
from pipeline.config.load import Options, load
from pipeline.state.owners import Lock
from pipeline.state.sqlite.dataset_look import SqliteReads

TOP = Path(__file__).parents[2]
# Far longer than anything here takes.
LONG = 240.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two pipes, each from a file into a dataset."""
    for name in ("people", "orders"):
        source = {"type": "json", "path": f"{name}.jsonl"}
        (tmp_path / f"{name}.conf.json").write_text(json.dumps({"_id": name, "type": "pipe", "source": source}))
        (tmp_path / f"{name}.jsonl").write_text('{"_id": "a"}\n')
    (tmp_path / ".mailweir").mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def lock(project: Path) -> Iterator[Lock]:
    """Another process runs `people`."""
    lock = pump_lock(project / ".mailweir", "people")
    assert lock is not None
    yield lock
    lock.release()


def run(project: Path, patience: float) -> Done:
    """Run both."""
    return asyncio.run(Run(load(project, Options(here=project)), Asked(), patience=patience).go())


def written(project: Path, name: str) -> int:
    """How many entities a dataset has."""
    reads = SqliteReads(project / ".mailweir")
    found = reads.dataset(name)
    reads.close()
    return 0 if found is None else found.entities


@pytest.mark.usefixtures("lock")
def test_who_does_not_get_the_turn_in_time_reads_nothing(project: Path) -> None:
    """It says so, and other pipes run all the same."""
    done = run(project, patience=0)
    assert {report.pipe: report.stopped for report in done.reports} == {"people": BUSY, "orders": ""}
    assert (written(project, "people"), written(project, "orders")) == (0, 1)


class _Releases(logging.Handler):
    """Ends the other run as soon as it is waited for."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(logging.WARNING)
        self.other = lock
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Heard it."""
        self.heard.append(record.getMessage())
        self.other.release()


def test_a_run_waits_for_its_turn(project: Path, lock: Lock) -> None:
    """It says once that it waits, goes on from where the other came to, and leaves the turn to others at its end."""
    handler = _Releases(lock)
    log = logging.getLogger("mailweir.run")
    log.addHandler(handler)
    try:
        done = run(project, patience=LONG)
    finally:
        log.removeHandler(handler)
    assert handler.heard == ["`people` is being run by another process: waiting for its end"]
    assert [report.stopped for report in done.reports] == ["", ""]
    assert written(project, "people") == 1
    again = pump_lock(project / ".mailweir", "people")
    assert again is not None
    again.release()


def test_the_command_waits_and_says_so(project: Path, lock: Lock) -> None:
    """A person sees why nothing happens, and the run ends well when the other has ended."""
    command = subprocess.Popen(
        [sys.executable, "-m", "mailweir", "run", "people", "--progress", "none"],
        cwd=project,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stderr is not None
        lines = iter(command.stderr.readline, "")
        assert any("`people` is being run by another process: waiting for its end" in line for line in lines)
        lock.release()
        out, _ = command.communicate(timeout=LONG)
    finally:
        command.kill()
        command.wait()
    assert command.returncode == 0
    assert out.splitlines()[-1] == "1 written."
