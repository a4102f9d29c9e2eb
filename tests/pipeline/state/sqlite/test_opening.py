"""The file is opened if it is ours, known, whole and no older than what was here; otherwise it is not touched."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.state.faults import StateError, StateReason
from pipeline.state.sqlite import schema
from pipeline.state.sqlite.opening import ago


def refusal(states: Any, **settings: Any) -> StateError:
    """Why the state is not opened."""
    with pytest.raises(StateError) as caught:
        states.open(**settings)
    return caught.value


def test_a_new_state_is_for_its_owner_alone(states: Any) -> None:
    """Every file of it, while it is in use and after."""
    state = states.open()
    states.admit(state, states.message(1), ask=states.ask())
    assert states.folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in states.folder.iterdir() if path.is_file()}
    assert modes == {
        "newest": 0o600,
        "state.db": 0o600,
        "state.db-shm": 0o600,
        "state.db-wal": 0o600,
        "write.lock": 0o600,
    }
    assert {path.stat().st_mode & 0o777 for path in (states.folder / "senders").iterdir()} == {0o600}


def test_what_is_durable_is_set(states: Any) -> None:
    """A log that is flushed with every commit, and no trigger or view of a stranger's file is trusted."""
    connection = states.open()._place.connection
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "trusted_schema", "secure_delete", "application_id", "user_version")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "trusted_schema": 0,
        "secure_delete": 2,
        "application_id": schema.APPLICATION,
        "user_version": len(schema.STEPS),
    }


def test_a_file_of_a_later_version_is_refused(states: Any) -> None:
    """And left as it is."""
    states.close(states.open())
    path = states.folder / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    fault = refusal(states)
    assert fault.reason is StateReason.NEWER
    assert "version 99" in fault.text
    assert "run that version" in fault.advice
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(states: Any) -> None:
    """And left as it is."""
    states.folder.mkdir()
    path = states.folder / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    fault = refusal(states)
    assert fault.reason is StateReason.FOREIGN
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    connection.close()


@pytest.mark.parametrize(
    "damage", [b"this is no database, and never was" * 100, b"\0" * 5000, b"SQLite format 3\0" + b"x" * 500]
)
def test_what_is_no_database_is_refused_and_kept(states: Any, damage: bytes) -> None:
    """Nothing is ever written over it."""
    states.folder.mkdir()
    path = states.folder / "state.db"
    path.write_bytes(damage)
    assert refusal(states).reason in {StateReason.DAMAGED, StateReason.FOREIGN}
    assert path.read_bytes() == damage


def test_a_file_that_was_cut_short_is_refused(states: Any) -> None:
    """A table that is not there any more is found when it is looked for, and then nothing goes on."""
    state = states.open()
    states.admit(state, *(states.message(number, content=b"x" * 9000) for number in range(50)))
    states.close(state)
    path = states.folder / "state.db"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 8])
    with pytest.raises(StateError) as caught:
        states.claim(states.open())
    assert caught.value.reason is StateReason.DAMAGED


def test_an_older_file_is_brought_forward(tmp_path: Path) -> None:
    """Step by step in one transaction, with a copy of what was before beside it."""
    path = tmp_path / "state.db"
    first = ("CREATE TABLE thing (id INTEGER PRIMARY KEY)", "INSERT INTO thing VALUES (7)")
    second = ("ALTER TABLE thing ADD COLUMN name TEXT", "UPDATE thing SET name = 'seven'")
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrate(connection, path, (first,))
    assert not list(tmp_path.glob("*.version-*"))
    schema.migrate(connection, path, (first, second))
    assert connection.execute("SELECT * FROM thing").fetchall() == [(7, "seven")]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()
    backup = tmp_path / "state.db.version-1"
    assert backup.stat().st_mode & 0o777 == 0o600
    before = sqlite3.connect(backup)
    assert before.execute("SELECT * FROM thing").fetchall() == [(7,)]
    before.close()
    # What an earlier version of Mailweir says of it.
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(StateError, match=re.escape("version 2, this one knows 1")):
        schema.migrate(connection, path, (first,))
    connection.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The file is of the old version, and is brought forward the next time."""
    path = tmp_path / "state.db"
    first = ("CREATE TABLE thing (id INTEGER PRIMARY KEY)",)
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrate(connection, path, (first,))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, path, (first, ("DROP TABLE thing", "this is no statement")))
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM thing").fetchone() == (0,)
    schema.migrate(connection, path, (first, ("DROP TABLE thing",)))
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()


def test_a_migration_that_is_killed_changes_nothing(tmp_path: Path) -> None:
    """Old or new, never between: the process ends in the middle of a step."""
    path = tmp_path / "state.db"
    script = """
import os, signal, sqlite3, sys
from pathlib import Path
from pipeline.state.sqlite import schema
path = Path(sys.argv[1])
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
first = ("CREATE TABLE thing (id INTEGER PRIMARY KEY)", "INSERT INTO thing VALUES (1)")
schema.migrate(connection, path, (first,))
schema.migrate(connection, path, (first, ("DROP TABLE thing", "CREATE TABLE other (id)", "SELECT die()")))
"""
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT * FROM thing").fetchall() == [(1,)]
    connection.close()


def backed_up(states: Any) -> bytes:
    """A backup, after which more was sent."""
    state = states.open()
    states.admit(state, states.message(1), states.message(2))
    states.close(state)
    data = (states.folder / "state.db").read_bytes()
    states.clock.advance(7200)
    state = states.open()
    states.send(state, states.claim(state).messages)
    states.close(state)
    return bytes(data)


def test_a_backup_that_is_put_back_is_refused(states: Any) -> None:
    """It does not know what was sent since, and would send it again."""
    data = backed_up(states)
    (states.folder / "state.db").write_bytes(data)
    fault = refusal(states)
    assert fault.reason is StateReason.OLDER
    assert "by 2 hours" in fault.text


def test_a_copy_without_its_log_is_refused(states: Any) -> None:
    """What went in a second before is in the log, and so is that it was sent."""
    state = states.open()
    data = (states.folder / "state.db").read_bytes()
    states.admit(state, states.message(1))
    states.clock.advance(1.5)
    states.send(state, states.claim(state).messages)
    states.kill(state)
    for path in states.folder.glob("state.db*"):
        path.unlink()
    (states.folder / "state.db").write_bytes(data)
    assert refusal(states).reason is StateReason.OLDER


def test_a_backup_may_be_accepted_by_name(states: Any) -> None:
    """Once: then it is the one that counts."""
    data = backed_up(states)
    (states.folder / "state.db").write_bytes(data)
    state = states.open(accept_older=True)
    assert len(states.claim(state).messages) == 2
    states.close(state)
    states.open()


def test_a_file_that_is_gone_is_refused_while_its_folder_remembers(states: Any) -> None:
    """An empty new one would send everything again."""
    states.close(states.open())
    (states.folder / "state.db").unlink()
    assert refusal(states).reason is StateReason.OLDER


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "3 seconds"), (119, "119 seconds"), (150, "2 minutes"), (7300, "2 hours"), (1e6, "12 days")],
)
def test_a_span_is_told_in_words(seconds: float, words: str) -> None:
    """In the largest unit of which there are two."""
    assert ago(seconds) == words


def test_a_folder_without_rights_is_refused(states: Any) -> None:
    """With its name, and who asked."""
    script = f"""
import os
from pathlib import Path
from pipeline.state import place
from pipeline.state.faults import StateError
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    place.prepare(Path({str(states.folder / "state")!r}))
except StateError as error:
    print(error.reason.value, os.geteuid(), error)
"""
    states.folder.mkdir(mode=0o500)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refused ")
    assert "permission denied" in done.stdout
