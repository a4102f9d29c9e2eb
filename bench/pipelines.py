"""Entities from a file into a dataset, once more unchanged, and out of it again: whole runs, in CPU time and memory.

Each is a process of its own, measured by the kernel: all threads, from its start to its end. A plain Python script does
the same beside it, without history, deletes, positions or deletion tracking. `ENTITIES` and `ROUNDS` in the
environment say how many. dlt loads the same file into DuckDB, if it is there:
`python3 -m venv .bench/dlt && .bench/dlt/bin/pip install 'dlt[duckdb]'`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

ENTITIES: Final = 1_000_000
ROUNDS: Final = 3
# A tenth of the entities shows whether memory grows with them.
SMALL: Final = 10
# What this is to be better than, and by how much.
DLT: Final = Path(__file__).parents[1] / ".bench" / "dlt" / "bin" / "python"
WANTED: Final = 5
_LOAD: Final = "JSON Lines -> dataset"
_DLT: Final = "dlt: JSON Lines -> DuckDB"

_pipes: Final = [
    {"_id": "people", "type": "pipe", "source": {"type": "json", "path": "people.jsonl"}},
    {
        "_id": "nowhere",
        "type": "pipe",
        "source": {"type": "dataset", "dataset": "people"},
        "sink": {"type": "null"},
    },
]


class Cost(NamedTuple):
    """CPU seconds of a process, and the most memory that it had, in MB."""

    seconds: float
    memory: float


def run() -> None:
    """Each step in turn; the medians, and what the least of them is."""
    entities = int(os.environ.get("ENTITIES", ENTITIES))
    rounds = int(os.environ.get("ROUNDS", ROUNDS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _file(folder / "people.jsonl", entities)
        _file(folder / "few.jsonl", entities // SMALL)
        (folder / "all.conf.json").write_text(json.dumps(_pipes))
        found = [_round(folder) for _ in range(rounds)]
        few = _few(folder)
    sys.stdout.write(f"{entities:,} entities of {size} bytes, CPU time (median of {rounds} rounds in turn)\n")
    for step in found[0]:
        seconds = median(one[step].seconds for one in found)
        memory = max(one[step].memory for one in found)
        sys.stdout.write(
            f"  {step:44} {entities / seconds:10,.0f} entities/s {seconds / entities * 1e6:6.2f} µs {memory:6.0f} MB\n"
        )
    sys.stdout.write(f"  {f'JSON Lines -> dataset, {entities // SMALL:,} of them':44} {few.memory:39.0f} MB\n")
    if _DLT not in found[0]:
        sys.stdout.write(f"  dlt is not measured: there is no {DLT}\n")
        return
    ratio = median(one[_DLT].seconds / one[_LOAD].seconds for one in found)
    sys.stdout.write(f"  {ratio:.1f} times as fast as dlt (wanted: {WANTED})\n")


def _file(path: Path, entities: int) -> int:
    """Small entities, a line each; the bytes of one."""
    with path.open("w") as file:
        for number in range(entities):
            entity = {
                "_id": f"c-{number}",
                "name": f"Person {number}",
                "email": f"p{number}@example.com",
                "age": number % 90,
                "city": "Bergen",
                "tags": ["new", "north"],
                "balance": number * 1.5,
            }
            file.write(f"{json.dumps(entity)}\n")
    return path.stat().st_size // entities


def _round(folder: Path) -> dict[str, Cost]:
    shutil.rmtree(folder / ".mailweir", ignore_errors=True)
    (folder / "plain.db").unlink(missing_ok=True)
    mailweir = [sys.executable, "-m", "mailweir", "-C", str(folder), "run", "--progress", "none"]
    plain = [sys.executable, str(Path(__file__).with_name("pipelines_python.py"))]
    names = ["people.jsonl", "plain.db"]
    found = {
        _LOAD: _cost([*mailweir, "people"], folder),
        "the same again, nothing changed": _cost([*mailweir, "people", "--since", "0"], folder),
        "dataset -> null": _cost([*mailweir, "nowhere"], folder),
        "a plain script: JSON Lines -> SQLite": _cost([*plain, "load", *names], folder),
        "a plain script: the same again": _cost([*plain, "reload", *names], folder),
    }
    if DLT.exists():
        shutil.rmtree(folder / "dlt", ignore_errors=True)
        (folder / "dlt").mkdir()
        script = str(Path(__file__).with_name("pipelines_dlt.py"))
        found[_DLT] = _cost([str(DLT), script, "people.jsonl", "dlt"], folder)
    return found


def _few(folder: Path) -> Cost:
    shutil.rmtree(folder / ".mailweir", ignore_errors=True)
    (folder / "few.jsonl").replace(folder / "people.jsonl")
    return _cost([sys.executable, "-m", "mailweir", "-C", str(folder), "run", "people"], folder)


def _cost(command: Sequence[str], folder: Path) -> Cost:
    with (folder / "told").open("w+") as told:
        process = subprocess.Popen(command, cwd=folder, stdout=told, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}: {told.read()[:500]}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
